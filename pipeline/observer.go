package pipeline

// Observer is told how far a run is. It shows; it decides nothing.
type Observer interface {
	Plan(steps []string) // the steps that are to come, in their order
	Start(step, detail string)
	Update(step string, done, total int, detail string)
	Done(step, detail string, err error)
	Log(message string)
}

// Silent is an Observer that shows nothing.
type Silent struct{}

var _ Observer = Silent{}

func (Silent) Plan([]string)                   {}
func (Silent) Start(string, string)            {}
func (Silent) Update(string, int, int, string) {}
func (Silent) Done(string, string, error)      {}
func (Silent) Log(string)                      {}
