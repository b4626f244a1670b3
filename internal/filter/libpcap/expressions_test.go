package libpcap

// expressions show the forms of pcap-filter(7).
var expressions = []string{
	// types and directions
	"host 192.168.1.2", "src host 10.0.2.15", "dst host 10.0.0.22", "src or dst host 192.168.1.2",
	"src and dst host 192.168.1.2", "host ::1", "src host fe80::1", "dst host ff02::1", "ip host 10.0.2.15",
	"ip6 host ff02::16", "arp host 192.168.1.1", "rarp host 192.168.1.1", "192.168.1.104",
	"net 10.0.0.0/8", "net 10", "net 192.168", "net 192.168.1", "src net 172.16.0.0/12", "dst net 192.168.0.0/16",
	"src or dst net 10.0.0.0/8", "src and dst net 10.0.0.0/8", "net 192.168.0.0 mask 255.255.0.0", "net 0.0.0.0/0",
	"net 2001:db8::/32", "src net fe80::/10", "dst net ff00::/8", "net 2000::/3", "net 10.1.2.3/32", "net 128.0.0.0/1",
	"port 53", "src port 53", "dst port 53", "src and dst port 123", "tcp port 80", "udp port 53", "sctp port 9",
	"tcp src port 80", "tcp dst port 80", "udp src port 1900", "udp dst port 1900", "port http", "port domain",
	"tcp port https", "portrange 1-1023", "src portrange 1024-65535", "dst portrange 20-25",
	"tcp portrange 6881-6889", "udp portrange 1024-65535 and not port 53",
	// protocols
	"ip", "ip6", "arp", "rarp", "tcp", "udp", "sctp", "icmp", "icmp6", "igmp", "igrp", "pim", "vrrp", "carp", "ah", "esp",
	"atalk", "aarp", "decnet", "iso", "stp", "ipx", "netbeui", "lat", "moprc", "mopdl", "es-is", "is-is", "clnp",
	"ip proto 47", "ip proto \\tcp", "ip proto gre", "ip6 proto 58", "ip6 proto \\udp", "proto 50", "proto \\icmp",
	"ip protochain 6", "ip6 protochain 6", "ip6 protochain 58", "ip6 protochain 17", "protochain 50", "protochain 17",
	"ether proto 0x0800", "ether proto \\ip6", "ether proto \\arp", "ether proto 0x88cc", "ether proto 0x42",
	// link layer
	"ether host ff:ff:ff:ff:ff:ff", "ether src 00:11:22:33:44:55", "ether dst 01:00:5e:00:00:12", "ether broadcast",
	"broadcast", "ether multicast", "multicast", "ip multicast", "ip6 multicast", "ip broadcast",
	"ether[0] & 1 = 0", "ether[12:2] = 0x0800", "llc", "llc i", "llc s", "llc u", "llc ui", "llc rr",
	// encapsulation
	"vlan", "vlan 10", "vlan and ip", "vlan and vlan", "vlan and vlan and ip", "vlan 100 and tcp port 80", "not vlan",
	"ip or vlan", "vlan or ip", "vlan and arp", "vlan and ip6 and udp", "mpls", "mpls 100", "mpls and ip", "mpls and mpls",
	"mpls and tcp port 80", "mpls 16 and mpls and host 10.0.0.1", "vlan and mpls", "pppoed", "pppoes", "pppoes 1",
	"pppoes and ip", "pppoes and ip6", "pppoes and tcp port 80", "pppoes and host 10.0.0.1", "geneve", "geneve 5",
	"geneve and ip", "vlan and pppoes and ip",
	// lengths
	"len > 1000", "len = 60", "len < 0x40", "greater 1000", "less 64", "len & 1 = 1", "len - 14 > ip[2:2]",
	// arithmetic
	"ip[0] & 0xf != 5", "ip[6:2] & 0x1fff != 0", "ip[6:2] & 0x3fff != 0", "ip[8] < 64", "ip[2:2] > 576",
	"ip[12:4] = 0xc0a80102", "tcp[tcpflags] & (tcp-syn|tcp-fin) != 0", "tcp[tcpflags] = tcp-syn|tcp-ack",
	"tcp[13] & 4 != 0", "tcp[0:2] > 1024", "tcp[((tcp[12] & 0xf0) >> 2):4] = 0x47455420",
	"tcp port 80 and (((ip[2:2] - ((ip[0]&0xf)<<2)) - ((tcp[12]&0xf0)>>2)) != 0)", "udp[4:2] > 100", "udp[8:4] = 0",
	"icmp[icmptype] = icmp-echo", "icmp[icmptype] = icmp-echoreply or icmp[icmptype] = icmp-unreach",
	"icmp[icmpcode] = 3", "icmp6[icmp6type] = icmp6-neighborsolicit", "icmp6[0] = 135", "ip6[6] = 17",
	"ip6[40] = 58", "ip6[4:2] > 100", "ip[ip[0] & 0xf] > 3", "ip[0] * 2 - 4 + 1 > 100", "ip[2:2] / ip[8] > 4",
	"ip[2:2] % 7 = 3", "ip[2:2] % ip[9] = 0", "ip[4:2] ^ 0x5555 > 0x8000", "ip[0] | ip[1] = 0x45", "ip[1] << ip[8] > 0",
	"ip[12:4] >> 24 = 10", "-ip[0] < 0", "ip[9] = 6 and ip[20:2] = ip[22:2]", "0 = 0", "1 > 2 or ip", "udp[udp[4:2] - 1] = 0",
	"ether[len - 1] = 0", "ip[1500:4] != 0", "tcp[2:2] >= 0x1bb",
	// combinations
	"tcp and dst port 80", "tcp or udp", "not ip and not ip6", "ip6 and not tcp and not udp", "not tcp", "!(udp port 53)",
	"tcp port 80 or tcp port 443 or tcp port 8080", "tcp port (80 or 443 or 8080)", "host 10.0.2.15 and not port 22",
	"src net 192.168 and (tcp or udp) and not (dst port 53 or 123)", "host 192.168.1.2 or 192.168.1.3 or 10.0.2.15",
	"ip and (tcp[13] = 2 or icmp) and not net 127", "arp or (ip6 and icmp6) or ip broadcast",
	"tcp and (src port 80 or dst port 80) and greater 500", "(ip or ip6) and not (tcp or udp or icmp or icmp6)",
	"tcp && !(dst port 80 || dst port 443)", "ip and len > 100 and ip[8] > 32", "",
}
