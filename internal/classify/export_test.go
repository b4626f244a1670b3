package classify

// Fields returns how many fields checks ask for.
func (c *Classifier) Fields() int { return len(c.fields) }
