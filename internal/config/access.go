package config

import (
	"slices"
	"strings"

	"gomapi/internal/account"
	"gomapi/internal/funccall"
	"gomapi/internal/policy"
)

// accessLists are the keys of [user], [group] and [client] that are lists.
var accessLists = map[string]policy.Key{
	policy.Devices.String():    policy.Devices,
	policy.Functions.String():  policy.Functions,
	policy.Statistics.String(): policy.Statistics,
}

// accessKind returns for whom a section with rights is; ok is false for other sections.
func accessKind(section string) (kind policy.Kind, name string, ok bool) {
	word, name, _ := strings.Cut(section, " ")
	for _, k := range []policy.Kind{policy.User, policy.Group, policy.Client} {
		if k.String() == word {
			return k, strings.TrimSpace(name), true
		}
	}
	return 0, "", false
}

// access reads a section with the rights of a user, a group or a client. Of several sections
// with the same name all count.
func (b *builder) access(s *Section, kind policy.Kind, name string) {
	if name == "" {
		b.errorf(s.Line, "section [%v] has no name: write [%v NAME]; it is for nobody", kind, kind)
		return
	}
	if first, ok := b.singles[s.Name]; ok {
		b.warnf(s.Line, "section [%s] already occurs in line %d: both count", s.Name, first)
	}
	b.singles[s.Name] = s.Line
	a := policy.Section{Kind: kind, Name: name, Line: s.Line, Broken: s.Broken, Identity: name, Limits: make(map[account.Kind]policy.Limit)}
	b.whose(&a)
	for _, k := range s.Keys {
		b.accessKey(&a, k)
	}
	for _, k := range s.Empty {
		b.emptyAccessKey(&a, k)
	}
	b.cfg.Access = append(b.cfg.Access, a)
}

// whose looks up the user or group of a section.
func (b *builder) whose(a *policy.Section) {
	lookUp := b.known.User
	switch {
	case a.Name == policy.Any && a.Kind == policy.Group:
		b.errorf(a.Line, "section [group *] is for nobody: use [user *] for users whom no other section names")
		return
	case a.Name == policy.Any:
		a.Others = true
		return
	case a.Kind == policy.Client:
		return
	case a.Kind == policy.Group:
		lookUp = b.known.Group
	}
	id, err := lookUp(a.Name)
	if err != nil {
		b.errorf(a.Line, "section [%v %s] is for nobody: %v", a.Kind, a.Name, err)
		return
	}
	a.ID = &id
}

// accessKey reads a key of a section with rights.
func (b *builder) accessKey(a *policy.Section, k Key) {
	if list, ok := accessLists[k.Name]; ok {
		a.Lists[list] = b.accessList(k)
		return
	}
	i := slices.IndexFunc(account.Kinds(), func(kind account.Kind) bool { return kind.String() == k.Name })
	switch {
	case i >= 0:
		b.accessLimit(a, account.Kinds()[i], k)
	case k.Name == "force":
		b.force(a, k)
	case k.Name == "identity" && a.Kind == policy.Client && !a.Others:
		a.Identity = k.Value
	default:
		b.unknownKey(a.Kind.String()+" "+a.Name, k)
	}
}

// force reads the functions that are forced on every flow. If they cannot be read, the section
// allows nothing.
func (b *builder) force(a *policy.Section, k Key) {
	calls, err := funccall.Parse(k.Value)
	if err != nil {
		b.errorf(k.Line, "force=%s: %v: the section allows nothing", k.Value, err)
		a.Broken = k.Line
		return
	}
	a.Force = &policy.Force{Line: k.Line, Calls: calls}
}

// emptyAccessKey reports a key without a value. An empty list allows nothing, and without what
// was to be forced nothing is allowed, because what the operator wanted is unknown.
func (b *builder) emptyAccessKey(a *policy.Section, k Key) {
	if list, ok := accessLists[k.Name]; ok {
		a.Lists[list] = &policy.List{Line: k.Line}
		b.errorf(k.Line, "%s has no value: it allows nothing, which is written %s=!*", k.Name, k.Name)
		return
	}
	if k.Name == "force" {
		a.Broken = k.Line
		b.errorf(k.Line, "force has no value: the section allows nothing; remove the key if nothing is to be forced")
		return
	}
	b.warnf(k.Line, "%s has no value: it is ignored", k.Name)
}

// accessList reads a list of what is allowed, and with "!" denied.
func (b *builder) accessList(k Key) *policy.List {
	l, empty := &policy.List{Line: k.Line}, false
	for item := range strings.SplitSeq(k.Value, ",") {
		item, deny := strings.CutPrefix(strings.TrimSpace(item), "!")
		item = strings.TrimSpace(item)
		switch {
		case item == "":
			empty = true
		case deny:
			l.Deny = append(l.Deny, item)
		default:
			l.Allow = append(l.Allow, item)
		}
	}
	if empty {
		b.warnf(k.Line, "%s has an empty item: it is ignored", k.Name)
	}
	if i := slices.IndexFunc(l.Deny, func(item string) bool { return slices.Contains(l.Allow, item) }); i >= 0 {
		b.warnf(k.Line, "%s allows and denies %s: it is denied", k.Name, quote(l.Deny[i]))
	}
	return l
}

// accessLimit reads a limit. There may be none of what a program can do without.
func (b *builder) accessLimit(a *policy.Section, kind account.Kind, k Key) {
	n, ok := amount(k.Value, kind == account.Memory)
	from := "1"
	if kind != account.Memory && kind != account.Descriptors && kind != account.Connections {
		from = "0"
		ok = ok || k.Value == "0"
	}
	if !ok {
		b.errorf(k.Line, "%s=%s is not %s: the default is used", k.Name, k.Value, strings.Replace(amountText(kind), "1", from, 1))
		return
	}
	a.Limits[kind] = policy.Limit{Line: k.Line, Amount: n}
}

// checkAccess reports lists that do not do what they seem to, when the whole file is known.
func (b *builder) checkAccess() {
	joined := slices.ContainsFunc(b.cfg.Access, func(a policy.Section) bool { return a.Kind == policy.Group })
	for i := range b.cfg.Access {
		a := &b.cfg.Access[i]
		for key, l := range a.Lists {
			if l == nil {
				continue
			}
			if len(l.Allow) == 0 && len(l.Deny) > 0 && !slices.Contains(l.Deny, policy.Any) && (a.Others || a.Kind == policy.Client || !joined) {
				b.warnf(l.Line, "%v only denies, so it allows nothing: add * to allow the rest", policy.Key(key))
			}
			if policy.Key(key) != policy.Functions {
				b.checkDevices(l)
			}
		}
	}
}

// checkDevices warns of the first name that no device has.
func (b *builder) checkDevices(l *policy.List) {
	for _, item := range slices.Concat(l.Allow, l.Deny) {
		_, format := formats[item]
		if item != policy.Any && !format && !slices.ContainsFunc(b.cfg.Devices, func(d Device) bool { return item == d.Name || item == d.Alias }) {
			b.warnf(l.Line, "no [driver] section has a device %s", quote(item))
			return
		}
	}
}

// markBroken notes in each section the first line that could not be read.
func (b *builder) markBroken(sections []Section) {
	for _, p := range b.list {
		if p.Warning {
			continue
		}
		i, _ := slices.BinarySearchFunc(sections, p.Line, func(s Section, line int) int {
			if s.Line <= line {
				return -1
			}
			return 1
		})
		if s := &sections[i-1]; s.Broken == 0 || p.Line < s.Broken {
			s.Broken = p.Line
		}
	}
}
