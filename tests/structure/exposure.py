# SPDX-License-Identifier: LGPL-2.1-or-later
"""How exposed the unit may be by `systemd-analyze security`, here and in a guest."""

# In tenths, with systemd 252 and 257 alike. Most of it is that the service runs as root and in the
# network namespace of the host; the comments of the unit have the reasons for all of it.
EXPOSURE = 14
