package classify

// Fields returns the number of fields that checks read.
func (c *Classifier) Fields() int { return len(c.fields) }
