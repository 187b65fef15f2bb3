// SPDX-License-Identifier: Apache-2.0
// nginx.mjs -- one nginx before all contenders, the same for each.
//
// Buffers, headers and parameters are those of planetctl nginx; its limits
// per address are left out, because here all clients share one.
import fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

import { listening, start } from "./proc.mjs";

const INDEX = fileURLToPath(new URL("php/index.php", import.meta.url));

// How many idle connections an nginx worker keeps.  Two for each thread, as
// planetctl nginx has it; but where such a one holds a thread or a child,
// all of nginx's workers keep at most half of them.
function kept(bench, c) {
	const share = (n) => Math.max(1, Math.floor(n / bench.cores));

	if (c.kind === "http")
		return 64;
	return share(c.held ? bench.threads / 2 : bench.threads * 2);
}

function upstream(bench, c) {
	const servers = c.sockets
		.map((s) => `\t\tserver unix:${s} max_fails=0;`).join("\n");
	return `\tupstream ${c.name} {
${servers}
		keepalive ${kept(bench, c)};
		keepalive_requests 1000000;
	}
`;
}

function server(bench, c) {
	const pass = c.kind === "http" ? `
			proxy_http_version 1.1;
			proxy_set_header Connection "";
			proxy_set_header X-Request-Id $request_id;
			proxy_pass http://${c.name};` : `
			fastcgi_pass_request_headers off;
			fastcgi_param REQUEST_METHOD $request_method;
			fastcgi_param DOCUMENT_URI $uri;
			fastcgi_param QUERY_STRING $query_string;
			fastcgi_param CONTENT_TYPE $content_type
				if_not_empty;
			fastcgi_param CONTENT_LENGTH $content_length
				if_not_empty;
			fastcgi_param REMOTE_ADDR $remote_addr;
			fastcgi_param REQUEST_ID $request_id;
			fastcgi_param HTTP_AUTHORIZATION $http_authorization;
			${c.name === "php" ?
		`fastcgi_param SCRIPT_FILENAME ${INDEX};` : ""}
			fastcgi_keep_conn on;
			fastcgi_pass ${c.name};`;
	return `\tserver {
		listen 127.0.0.1:${bench.port}${c.first ? " backlog=1024" : ""};
		server_name ${c.host};
		location = ${bench.path} {${pass}
		}
	}
`;
}

export async function nginx(bench, contenders) {
	const dir = path.join(bench.dir, "nginx");
	const conf = path.join(dir, "nginx.conf");
	fs.mkdirSync(path.join(dir, "temp"), { recursive: true });
	fs.writeFileSync(conf, `
${process.getuid() === 0 ? "user root;" : ""}
daemon off;
worker_processes ${bench.cores};
pid ${dir}/pid;
error_log ${dir}/log warn;
events { worker_connections 1024; }
http {
	access_log off;
	default_type application/json;
	server_tokens off;
	tcp_nodelay on;
	keepalive_requests 1000000;
	keepalive_timeout 65s;
	add_header X-Request-Id $request_id always;
	add_header X-Content-Type-Options nosniff always;
	gzip on;
	gzip_comp_level 1;
	gzip_min_length 1024;
	gzip_vary on;
	gzip_types application/json application/problem+json;
	client_body_temp_path ${dir}/temp/body;
	fastcgi_temp_path ${dir}/temp/fastcgi;
	proxy_temp_path ${dir}/temp/proxy;
	uwsgi_temp_path ${dir}/temp/uwsgi;
	scgi_temp_path ${dir}/temp/scgi;
	fastcgi_buffers 16 16k;
	fastcgi_buffer_size 16k;
	fastcgi_busy_buffers_size 64k;
	fastcgi_max_temp_file_size 0;
	proxy_buffers 16 16k;
	proxy_buffer_size 16k;
	proxy_busy_buffers_size 64k;
	proxy_max_temp_file_size 0;
${contenders.map((c) => upstream(bench, c)).join("")}
${contenders.map((c, i) =>
		server(bench, { ...c, first: i === 0 })).join("")}
}
`);
	const p = start("nginx", ["nginx", "-e", `${dir}/log`, "-c", conf,
		"-p", dir], path.join(dir, "log"));
	await listening(p, bench.port);
	return p;
}
