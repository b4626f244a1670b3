package account

// A Kind is something of which there is only so much.
type Kind int

// What is charged.
const (
	Memory       Kind = iota // bytes
	Descriptors              // open files, sockets and mappings that come with them
	Connections              // to the daemon
	Buffers                  // packet buffers and series
	OfflineFiles             // capture files that are devices
	WrittenFiles             // files that functions write
	kinds
)

// Kinds are all kinds, in the order in which they are shown.
func Kinds() []Kind {
	list := make([]Kind, kinds)
	for i := range list {
		list[i] = Kind(i)
	}
	return list
}

// names are the keys of the limits in mapi.conf: with "user_" before it that of one user.
var names = [kinds]string{
	Memory: "memory", Descriptors: "descriptors", Connections: "connections", Buffers: "buffers",
	OfflineFiles: "offline_files", WrittenFiles: "written_files",
}

// things are the kinds in texts for people.
var things = [kinds]string{
	Memory: "bytes of memory", Descriptors: "open files", Connections: "connections",
	Buffers: "packet buffers and series", OfflineFiles: "offline devices", WrittenFiles: "files that are written",
}

// String is the name of the kind in mapi.conf and in output for programs.
func (k Kind) String() string { return names[k] }
