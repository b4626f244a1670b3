package config

import (
	"math"
	"strconv"
	"strings"

	"gomapi/internal/account"
)

// A LimitKey is what a key of [limits] limits: what one user may have of a kind, or
// what all users together may have.
type LimitKey struct {
	Kind account.Kind
	User bool
}

// limitKeys are the keys of [limits].
func limitKeys() map[string]LimitKey {
	keys := make(map[string]LimitKey)
	for _, k := range account.Kinds() {
		keys[k.String()] = LimitKey{k, false}
		keys["user_"+k.String()] = LimitKey{k, true}
	}
	return keys
}

// limits reads the section [limits]. A key with an error keeps its default.
func (b *builder) limits(s *Section) {
	if !b.first(s) {
		return
	}
	b.cfg.Limits = make(map[LimitKey]int64)
	keys := limitKeys()
	for _, k := range s.Keys {
		key, known := keys[k.Name]
		if !known {
			b.unknownKey("limits", k)
			continue
		}
		n, ok := amount(k.Value, key.Kind == account.Memory)
		if !ok {
			b.errorf(k.Line, "%s=%s is not %s: the default is used", k.Name, k.Value, amountText(key.Kind))
			continue
		}
		b.cfg.Limits[key] = n
	}
}

func amountText(k account.Kind) string {
	if k == account.Memory {
		return "a number of bytes from 1 on, which may end in K, M, G or T"
	}
	return "a number from 1 on"
}

// amount parses a positive number; of bytes it may end in K, M, G or T, powers of
// 1024.
func amount(text string, bytes bool) (int64, bool) {
	shift := 0
	if unit := strings.IndexByte("KMGT", (text + " ")[max(len(text)-1, 0)]); bytes && unit >= 0 {
		shift, text = 10*(unit+1), text[:len(text)-1]
	}
	n, err := strconv.ParseInt(text, 10, 64)
	return n << shift, err == nil && n >= 1 && n <= math.MaxInt64>>shift
}

// ApplyTo returns the limits of the machine, as changed by the file. What one user
// may have never exceeds what all may have.
func (c *Config) ApplyTo(l account.Limits) account.Limits {
	for key, n := range c.Limits {
		if key.User {
			l[key.Kind].User = n
		} else {
			l[key.Kind].All = n
		}
	}
	for k := range l {
		if _, ok := c.Limits[LimitKey{account.Kind(k), true}]; !ok {
			l[k].User = account.ForUser(account.Kind(k), l[k].All)
		}
		l[k].User = min(l[k].User, l[k].All)
	}
	return l
}

// trustedPeers reads a list of users.
func (b *builder) trustedPeers(k Key) {
	for name := range strings.SplitSeq(k.Value, ",") {
		if name = strings.TrimSpace(name); name == "" {
			b.warnf(k.Line, "trusted_peers has an empty name: it is ignored")
			continue
		}
		b.cfg.TrustedPeers = append(b.cfg.TrustedPeers, name)
	}
}
