/* SPDX-License-Identifier: Apache-2.0 */
/*
 * device.h -- what a User-Agent calls itself, in a word or two.
 */
#ifndef SERVICE_DEVICE_H
#define SERVICE_DEVICE_H

#define DEVICE_MAX 64

/* "Chrome · Windows", "微信 · 安卓", or "未知设备". */
void device_name(const char *agent, char out[DEVICE_MAX]);

#endif
