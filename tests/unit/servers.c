/* SPDX-License-Identifier: Apache-2.0 */
/*
 * servers.c -- starting and stopping servers for a test.
 */
#include "config.h"

#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <libpq-fe.h>

#include "servers.h"

#define PATIENCE	600	/* tenths of a second */

static void
fail(const char *what)
{
	fprintf(stderr, "servers: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void
nap(void)
{
	struct timespec t = { 0, 20000000 };

	nanosleep(&t, NULL);
}

/* Fork and run with the output in a file; as `user` when we are root. */
static pid_t
spawn(const char *log, const char *user, const char *const argv[])
{
	pid_t		 pid, parent = getpid();
	struct passwd	*pw = user != NULL && geteuid() == 0 ?
			    getpwnam(user) : NULL;
	int		 fd;

	if ((pid = fork()) < 0)
		fail("fork");
	if (pid > 0)
		return pid;
	if (pw != NULL && (setgroups(0, NULL) != 0 ||
	    setgid(pw->pw_gid) != 0 || setuid(pw->pw_uid) != 0))
		_exit(126);
	prctl(PR_SET_PDEATHSIG, pw != NULL ? SIGQUIT : SIGKILL);
	if (getppid() != parent || chdir("/") != 0)
		_exit(126);
	if ((fd = open(log, O_WRONLY | O_CREAT | O_APPEND, 0600)) < 0)
		_exit(126);
	dup2(fd, 1);
	dup2(fd, 2);
	execvp(argv[0], (char **)(uintptr_t)argv);
	_exit(127);
}

static int
reap(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			fail("waitpid");
	return status;
}

static void
folder(struct server *s)
{
	snprintf(s->dir, sizeof(s->dir), "/tmp/planet-server-XXXXXX");
	if (mkdtemp(s->dir) == NULL)
		fail("mkdtemp");
}

static bool
installed(const char *path)
{
	return access(path, X_OK) == 0;
}

/* Whether a Redis on the socket says PONG. */
static bool
redis_answers(const char *path)
{
	struct sockaddr_un	sa = { .sun_family = AF_UNIX };
	char			reply[8] = "";
	int			fd = socket(AF_UNIX, SOCK_STREAM, 0);
	bool			well;

	snprintf(sa.sun_path, sizeof(sa.sun_path), "%s", path);
	well = connect(fd, (struct sockaddr *)&sa, sizeof(sa)) == 0 &&
	    write(fd, "PING\r\n", 6) == 6 && read(fd, reply, 7) == 7 &&
	    strncmp(reply, "+PONG", 5) == 0;
	close(fd);
	return well;
}

static void
redis_start(struct server *s)
{
	const char *argv[] = { s->program, "--port", "0", "--unixsocket",
		    s->where + 5, "--dir", s->dir, "--save", "",
		    "--appendonly", "yes", "--appendfsync", "always", NULL };
	char	 log[96];

	snprintf(log, sizeof(log), "%s/log", s->dir);
	s->pid = spawn(log, NULL, argv);
	for (int i = 0; !redis_answers(s->where + 5); i++) {
		if (i > PATIENCE)
			fail("redis-server does not answer");
		nap();
	}
}

static void
pgsql_start(struct server *s)
{
	const char *argv[] = { s->program, "-D", s->dir, "-c",
		    "listen_addresses=", "-c", NULL, "-c", "fsync=off", "-c",
		    "max_connections=60", NULL };
	char	 sockets[96], log[96];

	snprintf(sockets, sizeof(sockets), "unix_socket_directories=%s",
	    s->dir);
	snprintf(log, sizeof(log), "%s/log", s->dir);
	argv[6] = sockets;
	s->pid = spawn(log, "postgres", argv);
	for (int i = 0; PQping(s->where) != PQPING_OK; i++) {
		if (i > PATIENCE || kill(s->pid, 0) != 0)
			fail("postgres does not answer");
		nap();
	}
}

bool
servers_redis(struct server *s)
{
	static const char *const places[] = {
		"/usr/bin/redis-server", "/usr/local/bin/redis-server"
	};

	memset(s, 0, sizeof(*s));
	s->redis = true;
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		if (!installed(places[i]))
			continue;
		snprintf(s->program, sizeof(s->program), "%s", places[i]);
		folder(s);
		snprintf(s->where, sizeof(s->where), "unix:%s/redis.sock",
		    s->dir);
		redis_start(s);
		return true;
	}
	return false;
}

static void
make_cluster(struct server *s, const char *initdb)
{
	char		 log[96];
	const char	*argv[] = { initdb, "-D", s->dir, "-A",
			    "trust", "-U", "planet", "-E", "UTF8",
			    "--locale=C.UTF-8", "--no-sync", NULL };
	struct passwd	*pw = getpwnam("postgres");

	folder(s);
	if (geteuid() == 0 && pw != NULL &&
	    chown(s->dir, pw->pw_uid, pw->pw_gid) != 0)
		fail("chown");
	/* initdb wants the folder empty. */
	snprintf(log, sizeof(log), "/dev/null");
	if (reap(spawn(log, "postgres", argv)) != 0)
		fail("initdb");
}

bool
servers_pgsql(struct server *s)
{
	static const char *const places[] = {
		"/usr/lib/postgresql/15/bin", "/usr/lib/postgresql/17/bin",
		"/usr/local/bin", "/usr/bin"
	};
	char initdb[128];

	memset(s, 0, sizeof(*s));
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		snprintf(initdb, sizeof(initdb), "%s/initdb", places[i]);
		if (!installed(initdb))
			continue;
		snprintf(s->program, sizeof(s->program), "%s/postgres",
		    places[i]);
		make_cluster(s, initdb);
		snprintf(s->where, sizeof(s->where),
		    "postgresql:///postgres?host=%s&user=planet", s->dir);
		pgsql_start(s);
		return true;
	}
	return false;
}

void
servers_kill(struct server *s)
{
	if (s->pid == 0)
		return;
	kill(s->pid, SIGKILL);
	reap(s->pid);
	s->pid = 0;
}

void
servers_again(struct server *s)
{
	if (s->redis)
		redis_start(s);
	else
		pgsql_start(s);
}

void
servers_stop(struct server *s)
{
	if (s->pid != 0) {
		/* SIGQUIT: PostgreSQL ends at once with its children. */
		kill(s->pid, s->redis ? SIGKILL : SIGQUIT);
		kill(s->pid, SIGCONT);
		reap(s->pid);
		s->pid = 0;
	}
	if (s->dir[0] != '\0')
		servers_remove(s->dir);
	s->dir[0] = '\0';
}

static int
remove_one(const char *path, const struct stat *st, int kind,
    struct FTW *ftw)
{
	(void)st;
	(void)kind;
	(void)ftw;
	return remove(path);
}

void
servers_remove(const char *dir)
{
	nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}
