#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Links, properties and access of dax devices: the rules of udev after a decision."""

from guest import FIRST_SERIAL, TDX_ACTIVE
from scene import Scene, main

SIZE = 512 << 20
HOST = "pci-0000:0d:00.0"
OTHER_SERIAL = FIRST_SERIAL + 1


class Linked(Scene):
    machine = {"cxl": ["512M", "512M"], "kernel_args": TDX_ACTIVE}

    def device(self, region):
        return f"{region.replace('region', 'dax')}.0"

    def links(self, region, serial=FIRST_SERIAL, host=HOST):
        return [f"/dev/dax/by-path/{host}", f"/dev/dax/by-region/{region}",
                f"/dev/dax/by-serial/{serial:#x}"]  # fmt: skip

    def assert_links(self, region, **of):
        for link in self.links(region, **of):
            self.assertEqual(self.sh(f"readlink -f {link}"), f"/dev/{self.device(region)}")

    def properties(self, device):
        lines = self.sh(f"udevadm info -q property /sys/bus/dax/devices/{device}").splitlines()
        found = dict(line.split("=", 1) for line in lines)
        return {key: value for key, value in found.items() if key.startswith("TDX_ONLINED_")}

    def access(self, device):
        return self.sh(f"stat -c '%a %U %G' /dev/{device}")

    def create(self, index):
        region = self.create_region(index, SIZE)
        self.settle()
        return region

    def test_0_kept(self):
        region = type(self).region = self.create(0)
        self.assert_links(region)
        self.assertEqual(self.properties(self.device(region)), {
            "TDX_ONLINED_TYPE": "cxl", "TDX_ONLINED_VERDICT": "devdax",
            "TDX_ONLINED_REASON": "outside-boot-map", "TDX_ONLINED_BY_PATH": HOST,
            "TDX_ONLINED_BY_REGION": region, "TDX_ONLINED_BY_SERIAL": f"{FIRST_SERIAL:#x}"})  # fmt: skip
        self.assertEqual(self.access(self.device(region)), "600 root root")
        self.sh(f"daxmap {self.links(region)[2]}")

    def test_1_access(self):
        """A rule gives the node to a group; without it the node is root's again."""
        self.rule("50-serial", f"Serial={FIRST_SERIAL:#x}", "Group=disk", "Mode=0660")
        self.reload()
        self.settle()
        device = self.device(self.region)
        self.assertEqual(self.access(device), "660 root disk")
        self.remove_rules()
        self.reload()
        self.settle()
        self.assertEqual(self.access(device), "600 root root")
        self.assert_links(self.region)

    def test_2_other_driver(self):
        """Without its driver the device has no links; decided again, it has them again."""
        device = self.device(self.region)
        self.mark()
        self.sh(f"echo {device} >/sys/bus/dax/drivers/device_dax/unbind; udevadm settle")
        self.wait_for_record(chardev=device, result="changed")
        self.sh(f"! ls {' '.join(self.links(self.region))} 2>/dev/null")
        self.mark()
        self.sh(f"tdx-onlinectl decide {device}")
        self.wait_for_record(chardev=device)
        self.settle()
        self.assert_links(self.region)

    def test_3_remade(self):
        """The name of a card is that of its device, whatever region it is in."""
        self.mark()
        other = self.create(1)
        [record] = self.records(region=other)
        links = {"serial": OTHER_SERIAL, "host": f"pci-{record['TDXO_HOST']}"}
        self.assertNotEqual(links["host"], HOST)
        self.assert_links(other, **links)
        self.guest.run(f"cxl destroy-region -f {self.region}", timeout=120)
        self.settle()
        self.sh(f"! ls {' '.join(self.links(self.region))} 2>/dev/null")
        self.assert_links(self.create(0))
        self.assert_links(other, **links)

    def test_4_triggered(self):
        """An event that anybody triggers changes nothing."""
        device = self.device(self.regions[0])
        before = self.properties(device)
        self.sh(f"udevadm trigger --settle --action=add /sys/bus/dax/devices/{device}")
        self.assertEqual(self.properties(device), before)
        self.assert_links(self.regions[0])

    def test_5_rules(self):
        """udevd has no complaint about the rules."""
        self.sh("udevadm control --reload; udevadm settle; journalctl --sync")
        self.assertEqual(self.sh("journalctl -b -u systemd-udevd -q -o cat --no-pager | grep tdx || :"), "")
        if self.guest.run("udevadm verify --help", check=False).status == 0:
            self.sh("udevadm verify /usr/lib/udev/rules.d/*tdx-onlined*.rules")


class Linked13(Linked):
    """The same with Debian 13, whose udevadm can check rules."""

    machine = {**Linked.machine, "root": "trixie"}

    def test_6_verify(self):
        self.sh("udevadm verify --help >/dev/null")


if __name__ == "__main__":
    main()
