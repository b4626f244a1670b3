package foreign

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// pseudo are file systems whose files are no data: reading or writing them acts on the kernel or
// on processes, with the rights of the daemon. The numbers that package unix lacks are those of
// linux/magic.h and of the file systems' sources.
var pseudo = map[uint32]string{
	unix.AAFS_MAGIC:            "apparmorfs",
	unix.ANON_INODE_FS_MAGIC:   "anon_inodefs",
	unix.AUTOFS_SUPER_MAGIC:    "autofs",
	unix.BDEVFS_MAGIC:          "bdev",
	unix.BINDERFS_SUPER_MAGIC:  "binderfs",
	unix.BINFMTFS_MAGIC:        "binfmt_misc",
	unix.BPF_FS_MAGIC:          "bpf",
	unix.CGROUP2_SUPER_MAGIC:   "cgroup2",
	unix.CGROUP_SUPER_MAGIC:    "cgroup",
	0x62656570:                 "configfs",
	unix.DAXFS_MAGIC:           "dax",
	unix.DEBUGFS_MAGIC:         "debugfs",
	unix.DEVMEM_MAGIC:          "devmem",
	unix.DEVPTS_SUPER_MAGIC:    "devpts",
	unix.DMA_BUF_MAGIC:         "dmabuf",
	unix.EFIVARFS_MAGIC:        "efivarfs",
	0x0a647361:                 "functionfs",
	0x65735543:                 "fusectl",
	unix.FUTEXFS_SUPER_MAGIC:   "futexfs",
	0xaee71ee7:                 "gadgetfs",
	unix.GUEST_MEMFD_MAGIC:     "guest_memfd",
	0x19800202:                 "mqueue",
	unix.MTD_INODE_FS_MAGIC:    "mtd_inodefs",
	0x6e667364:                 "nfsd",
	unix.NSFS_MAGIC:            "nsfs",
	0x76a9f425:                 "ocfs2_dlmfs",
	unix.OPENPROM_SUPER_MAGIC:  "openpromfs",
	unix.PID_FS_MAGIC:          "pidfs",
	unix.PROC_SUPER_MAGIC:      "proc",
	unix.PSTOREFS_MAGIC:        "pstore",
	unix.RDTGROUP_SUPER_MAGIC:  "resctrl",
	0x67596969:                 "rpc_pipefs",
	unix.SECRETMEM_MAGIC:       "secretmem",
	unix.SECURITYFS_MAGIC:      "securityfs",
	unix.SELINUX_MAGIC:         "selinuxfs",
	unix.SMACK_MAGIC:           "smackfs",
	unix.SYSFS_MAGIC:           "sysfs",
	unix.TRACEFS_MAGIC:         "tracefs",
	unix.USBDEVICE_SUPER_MAGIC: "usbdevfs",
	unix.XENFS_SUPER_MAGIC:     "xenfs",
}

// Character devices that take data and do nothing else (null, zero, full), as minor numbers of
// the major number memoryMajor, see admin-guide/devices.txt of Linux.
const memoryMajor = 1

var sinks = map[uint32]bool{3: true, 5: true, 7: true}

// capture checks that fd is a file with data that can be read by position.
func capture(fd int) error {
	if err := opened(fd, unix.O_WRONLY, "reading: open it read-only"); err != nil {
		return err
	}
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return err
	}
	if st.Mode&unix.S_IFMT != unix.S_IFREG {
		return fmt.Errorf("it is not a regular file but a %s: save the capture to disk and open that file", nameOf(st.Mode))
	}
	return ordinary(fd)
}

// output checks that fd is a byte stream into which the client may have the daemon write, and
// returns its kind (unix.S_IFREG and the like).
func output(fd int) (kind uint32, err error) {
	if err := opened(fd, unix.O_RDONLY, "writing"); err != nil {
		return 0, err
	}
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return 0, err
	}
	switch kind = st.Mode & unix.S_IFMT; kind {
	case unix.S_IFREG:
		if st.Mode&(unix.S_ISUID|unix.S_ISGID) != 0 {
			return 0, errors.New("it has the set-user-ID or set-group-ID bit: remove the bit with chmod, or write to another file")
		}
		return kind, ordinary(fd)
	case unix.S_IFCHR:
		if unix.Major(st.Rdev) != memoryMajor || !sinks[unix.Minor(st.Rdev)] {
			return 0, errors.New("it is a terminal or another device: write to a pipe, such as that of `cat > DEVICE`")
		}
		return kind, nil
	case unix.S_IFSOCK:
		return kind, stream(fd)
	case unix.S_IFIFO:
		return kind, nil
	}
	return 0, fmt.Errorf("it is a %s, but neither a regular file nor a pipe or stream socket", nameOf(st.Mode))
}

// opened rejects descriptors that only have the wrong mode of access, or none.
func opened(fd, wrong int, what string) error {
	flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFL, 0)
	if err != nil {
		return err
	}
	if flags&unix.O_PATH != 0 || flags&unix.O_ACCMODE == wrong {
		return fmt.Errorf("it is not open for %s", what)
	}
	return nil
}

// ordinary rejects files of pseudo file systems.
func ordinary(fd int) error {
	var fs unix.Statfs_t
	if err := unix.Fstatfs(fd, &fs); err != nil {
		return err
	}
	if name, ok := pseudo[uint32(fs.Type)]; ok {
		return fmt.Errorf("it is in the pseudo file system %s, whose files are no data: use a file on disk", name)
	}
	return nil
}

// stream rejects sockets that are no byte streams, and those of families whose calls may wait
// in spite of MSG_DONTWAIT.
func stream(fd int) error {
	kind, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TYPE)
	if err != nil {
		return err
	}
	domain, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_DOMAIN)
	if err != nil {
		return err
	}
	protocol, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_PROTOCOL)
	if err != nil {
		return err
	}
	local := domain == unix.AF_UNIX
	tcp := (domain == unix.AF_INET || domain == unix.AF_INET6) && (protocol == unix.IPPROTO_TCP || protocol == unix.IPPROTO_MPTCP)
	if kind != unix.SOCK_STREAM || !local && !tcp {
		return errors.New("it is a socket, but not a stream of TCP or of the local host")
	}
	return nil
}

// nameOf names the type of a file.
func nameOf(mode uint32) string {
	switch mode & unix.S_IFMT {
	case unix.S_IFDIR:
		return "directory"
	case unix.S_IFIFO:
		return "pipe"
	case unix.S_IFSOCK:
		return "socket"
	case unix.S_IFCHR, unix.S_IFBLK:
		return "device"
	}
	return "file of another type"
}
