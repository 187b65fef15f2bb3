/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_device.c -- names of programs and systems, and of neither.
 */
#include "unit.h"

#include "service/device.h"

static void
is_called(const char *agent, const char *want)
{
	char	out[DEVICE_MAX];

	device_name(agent, out);
	assert_string_equal(out, want);
}

static void
agents_get_a_short_name(void **state)
{
	(void)state;
	is_called("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537"
	    " (KHTML, like Gecko) Chrome/120.0 Safari/537.36 Edg/120.0",
	    "Edge · Windows");
	is_called("Mozilla/5.0 (Windows NT 10.0) Chrome/120.0 Safari/537",
	    "Chrome · Windows");
	is_called("Mozilla/5.0 (iPhone; CPU iPhone OS 17_0) Version/17.0"
	    " Safari/604.1", "Safari · iPhone");
	is_called("Mozilla/5.0 (Linux; Android 14) Chrome/114 MicroMessenger"
	    "/8.0 MiniProgramEnv/android", "微信 · 安卓");
	is_called("Mozilla/5.0 (Macintosh) Firefox/120", "Firefox · Mac");
	is_called("curl/8.0", "curl");
	is_called("Something (Windows NT 10.0)", "Windows");
}

static void
strangers_are_not_repeated(void **state)
{
	(void)state;
	is_called(NULL, "未知设备");
	is_called("", "未知设备");
	is_called("<script>", "未知设备");
	is_called("windows chrome", "未知设备");
}

int
main(void)
{
	static const struct CMUnitTest	tests[] = {
		cmocka_unit_test(agents_get_a_short_name),
		cmocka_unit_test(strangers_are_not_repeated),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
