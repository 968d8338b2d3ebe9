package webhook

import (
	"net/netip"
	"strings"
	"testing"
)

func TestOnlyThePublicInternetIsReached(t *testing.T) {
	t.Parallel()
	for text, public := range map[string]bool{
		"8.8.8.8": true, "2606:4700::1111": true, "2a00:1450:4001:80b::200e": true, "::ffff:8.8.8.8": true,
		"127.0.0.1": false, "127.9.9.9": false, "::1": false, "::ffff:127.0.0.1": false, "0.0.0.0": false, "::": false,
		"10.0.0.1": false, "172.16.0.1": false, "172.31.255.255": false, "192.168.1.1": false, "::ffff:10.0.0.1": false, "fd00::1": false, "fc00::1": false,
		"169.254.169.254": false, "::ffff:169.254.169.254": false, "fe80::1": false, "fe80::1%eth0": false, "fec0::1": false,
		"100.64.0.1": false, "100.100.100.200": false, "192.0.0.192": false, "198.18.0.1": false, "224.0.0.1": false, "ff02::1": false, "255.255.255.255": false, "240.0.0.1": false,
		"64:ff9b::a9fe:a9fe": false, "64:ff9b:1::1": false, "2002:7f00:1::": false, "2001:0:7f00:1::": false, "::7f00:1": false, "2001:db8::1": false,
		"172.32.0.1": true, "100.128.0.1": true, "169.253.0.1": true,
	} {
		at := netip.MustParseAddr(text)
		if got := (Networks{}).Allow(at); got != public {
			t.Errorf("%s may be reached: %v", text, got)
		}
	}
	own := Networks{netip.MustParsePrefix("10.1.2.0/24")}
	if !own.Allow(netip.MustParseAddr("10.1.2.9")) || !own.Allow(netip.MustParseAddr("::ffff:10.1.2.9")) || own.Allow(netip.MustParseAddr("10.1.3.9")) || own.Allow(netip.MustParseAddr("127.0.0.1")) {
		t.Error("a network that is named is not what may be reached beside the public internet")
	}
	if own.Allow(netip.Addr{}) {
		t.Error("no address at all may be reached")
	}
}

func TestAddressesAreCheckedAsTheyAreTyped(t *testing.T) {
	t.Parallel()
	here := Networks{netip.MustParsePrefix("127.0.0.0/8")}
	for address, fault := range map[string]string{
		"https://app.example.com/hooks?a=b":  "",
		" https://app.example.com:8443/ ":    "",
		"http://app.example.com/hooks":       "must begin with https://",
		"ftp://app.example.com":              "must begin with https://",
		"javascript:alert(1)":                "whole address",
		"https:///hooks":                     "whole address",
		"app.example.com/hooks":              "whole address",
		"":                                   "whole address",
		"https://me:secret@app.example.com/": "name and password",
		"https://app.example.com/#x":         "with a #",
		"https://10.0.0.1/":                  "not on the public internet",
		"https://[fd00::1]/":                 "not on the public internet",
		"https://169.254.169.254/latest":     "not on the public internet",
		"https://[::1]/":                     "not on the public internet",
		"http://127.0.0.1:9000/":             "",
		"http://localhost:9000/":             "",
		"http://10.0.0.1/":                   "must begin with https://",
		"https://app.example.com/" + strings.Repeat("a", 500): "whole address",
	} {
		_, err := here.check(address)
		if (err == nil) != (fault == "") || err != nil && !strings.Contains(err.Error(), fault) {
			t.Errorf("%q: %v, want %q", address, err, fault)
		}
	}
	for _, address := range []string{"http://127.0.0.1/", "http://localhost/", "https://localhost/"} {
		_, err := (Networks{}).check(address)
		if err == nil {
			t.Errorf("%s is taken although this machine is not among the networks", address)
		}
	}
}
