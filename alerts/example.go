package alerts

// Example is one case that a policy's author wrote down.
type Example struct{}

func (e *Example) validate() error { return nil }
