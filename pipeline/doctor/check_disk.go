package doctor

import "context"

// room is what a run of a small model needs: working copies, image, logs.
const room = 1 << 30

// checkDisk looks for room where runs are kept.
func checkDisk(_ context.Context, s Subject) []Finding {
	free, err := s.Machine.Free(s.Dir)
	if err != nil {
		return []Finding{warn("", "", "how much room is left could not be read: %v", err)}
	}
	if free < room/10 {
		return []Finding{fail("train", "`dosirak gc`, or free some room", "%d MB are left where runs are kept", free>>20)}
	}
	if free < room {
		return []Finding{warn("train", "`dosirak gc`, or free some room", "%d MB are left where runs are kept", free>>20)}
	}
	return ok("%d GB are left where runs are kept", free>>30)
}
