package fault

// What surrounds a run: Docker, registries, servers, this machine.

var (
	NoDocker = declare("E0701", Docker, "Docker is needed and cannot be used",
		"An image is tested by starting it, and no Docker daemon answers here.",
		"Start Docker, or give the bundle instead, to test the server as a process.")
	ServerBuild = declare("E0702", Docker, "The model server cannot be built",
		"A release carries the server; any other build of dosirak compiles it once, which needs Go, the source and, the first time, the network for its modules.",
		"Install Go from https://go.dev/dl and run again, or use a released dosirak.")
	BadImage = declare("E0703", Docker, "The image cannot be read",
		"The archive or layout is no image, is damaged, or holds no bundle of dosirak.",
		"Build it again with `dosirak image BUNDLE`.")
	ImageDoesNotRun = declare("E0705", Docker, "The image cannot be run as a service",
		"Docker refuses to start it, or it runs as root.",
		"Start it by hand with `docker run`, and mend what it says; give it a USER, such as 65532:65532.")
	BadPlatform = declare("E0704", Docker, "There is no image for that platform",
		"Images are built for linux/amd64 and linux/arm64.",
		"Name one of the two with --platform.")
)

var (
	RegistryLogin = declare("E0901", Service, "The registry refuses the login",
		"Nobody is logged in at the registry, or that user may not write (or read) there.",
		"Log in with `docker login HOST` as somebody who may; in a workflow, give the job `packages: write`.")
	RegistryUnreachable = declare("E0902", Service, "The registry cannot be reached",
		"The network, a proxy or the registry failed, or it rewrote what was pushed.",
		"Run again; what was pushed already is not pushed twice.")
	NotInRegistry = declare("E0903", Service, "The registry does not hold the image",
		"The manifest names an image by digest that the registry does not have: it was not pushed, or was removed there.",
		"Push it with `dosirak image BUNDLE --push REPOSITORY`, by the release that promoted it, then run again.")
	BadReference = declare("E0904", Service, "An image reference that cannot be used",
		"A manifest and --image name an image by digest, repository@sha256:<64 hexadecimal digits>, since a tag may be moved; --push takes a repository, and a tag if you like.",
		"Write the reference in that form.")
	ServerMisbehaves = declare("E0906", Service, "A server does not answer as it should",
		"The server that was asked refused a request, answered what is not of its protocol, or far too much. The message has the address and what it said.",
		"Look at the server's log; `dosirak smoke --url URL` tells which of its duties it does not do.")
	BadEndpoint = declare("E0905", Service, "The address of a server cannot be used",
		"The address is no http or https address, or the server's model has no name there.",
		"Give an address such as http://127.0.0.1:8080 or https://models.example.org.")
)

var (
	DiskFull = declare("E1001", Machine, "There is no space left",
		"The disk or the quota is full at the path that the message names. What was finished is kept.",
		"Free some space there (`dosirak gc` removes old runs), then go on with `dosirak run --resume RUN`.")
	NotWritable = declare("E1002", Machine, "A folder cannot be written",
		"This user may not write at the path that the message names, or it is on a file system that is read-only.",
		"Change the permissions, or name another folder.")
	StoreBusy = declare("E1003", Machine, "Another run is going on",
		"A run of the same project holds .dosirak: a second process may not resume it or remove what it needs.",
		"Wait until it has ended, or begin a new run.")
	StoreDamaged = declare("E1004", Machine, "A file of .dosirak is damaged",
		"A file in the project's .dosirak was changed by hand, cut off, or written by a release with another schema.",
		"Remove the file that the message names (what it held is made anew), or move .dosirak away.")
	NoBrowser = declare("E1006", Machine, "The page cannot be opened in a browser",
		"The program that opens pages (BROWSER, else xdg-open or open) is not there or failed, as on a machine without a screen.",
		"Open the file that the message names by hand, or name a browser in BROWSER.")
	NoCacheFolder = declare("E1005", Machine, "There is no folder for caches",
		"Neither XDG_CACHE_HOME nor HOME says where this user's caches are.",
		"Set XDG_CACHE_HOME to a folder that can be written.")
)
