// Package pipeline is the domain: it takes one change of a model along the
// line from training to a proposed promotion. pipeline.go tells the line on
// one page; each step is a file of its own that calls one or two rooms.
//
// Rooms know nothing of each other or of the config: this package reads the
// config once, hands each room plain options, and turns what the rooms answer
// into the report. What a run knows is in State, which is written to the run's
// folder after every step, so that a run can go on where it stopped.
package pipeline
