/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The probe: whether the kernel accepts an offline memory block.
 */
#pragma once

#include <stdint.h>

#include "daemon/host/sensor.h"
#include "tdxo/doctor/verify.h"

/*
 * Online the block of a trial, and take it offline at once if the kernel accepts it, which can
 * take `timeout` seconds. It goes online as movable: the kernel keeps nothing in it that cannot be
 * moved away. A signal that would end or stop this process is handled after that.
 */
void probe_block(struct sensor *sensor, uint64_t timeout, struct trial *trial);
