# SPDX-License-Identifier: LGPL-2.1-or-later
"""The highest exposure of the unit that `systemd-analyze security` may report, here and in a guest."""

# In tenths, with systemd 252 and 257. Most of it is because the service runs as root and in the network
# namespace of the host. The comments of the unit have the reason for each part.
EXPOSURE = 14
