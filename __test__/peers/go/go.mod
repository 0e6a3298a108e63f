module os-ipc.test/peer

go 1.18

require (
	golang.org/x/sys v0.15.0
	os-ipc.example/frames v0.0.0
)

replace os-ipc.example/frames => ../../../examples/frames-go/go
