package provenance

import (
	"os"
	"strings"
)

// processor reads the model from /proc/cpuinfo; on arm64, which has no name
// there, implementer and part number.
func processor() string {
	data, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return ""
	}
	return parseProcessor(string(data))
}

func parseProcessor(text string) string {
	fields := map[string]string{}
	for line := range strings.Lines(text) {
		key, value, ok := strings.Cut(line, ":")
		if key = strings.TrimSpace(key); ok && fields[key] == "" {
			fields[key] = strings.Join(strings.Fields(value), " ")
		}
	}
	if name := fields["model name"]; name != "" {
		return name
	}
	if fields["CPU part"] != "" {
		return "ARM implementer " + fields["CPU implementer"] + " part " + fields["CPU part"]
	}
	return ""
}
