package config

import "github.com/dosirak-ml/dosirak/pipeline/fault"

// unsupported lists the keys that are part of the format and whose rooms come
// in a later release. They are decoded and checked like the others; using one
// is an error until its row is deleted here. The published schema leaves them
// out.
var unsupported = []struct {
	path  string
	value string // that is refused; empty: every value
	used  func(c *Config) bool
	hint  string
}{
	{"train.notebook", "", func(c *Config) bool { return c.Train.Notebook != "" }, "export the notebook to a script and name it in train.command"},
	{"train.image", "", func(c *Config) bool { return c.Train.Image != "" }, "replicates run on this machine; use train.setup for what they need"},
	{"serve.engine", "onnxruntime", func(c *Config) bool { return c.Serve.Engine == "onnxruntime" }, "write auto or native"},
	{"serve.dockerfile", "", func(c *Config) bool { return c.Serve.Dockerfile != "" }, "the model is served by the built-in server"},
	{"serve.image", "", func(c *Config) bool { return c.Serve.Image != "" }, "the model is served by the built-in server"},
	{"serve.command", "", func(c *Config) bool { return c.Serve.Command != "" }, "the model is served by the built-in server"},
	{"serve.protocol", "", func(c *Config) bool { return c.Serve.Protocol != "" }, "it belongs to a server of your own; the built-in one speaks V2"},
	{"registry", "", func(c *Config) bool { return c.Registry != nil }, "the manifest in Git says what is in production"},
	{"tracking", "", func(c *Config) bool { return c.Tracking != nil }, "dosirak runs list shows the runs"},
}

func (d *decoder) refuseUnsupported(c *Config) {
	for _, key := range unsupported {
		if key.used(c) && !d.silenced(key.path) {
			d.coded(fault.ConfigUnsupported, key.path, "is not supported by this release; remove it (%s)", key.hint)
		}
	}
}
