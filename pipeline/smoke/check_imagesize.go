package smoke

import (
	"context"
	"strconv"
)

// checkImageSize compares the unpacked size of the image with its bound.
func checkImageSize(_ context.Context, s *session) outcome {
	size, slo := s.options.ImageSize, s.options.SLO.ImageBytes
	if slo > 0 {
		s.result.ImageSLO = &slo
	}
	if size == 0 {
		return notRun("no image was tested")
	}
	s.result.ImageSize = &size
	transfers := ""
	if t := s.options.ImageTransfers; t > 0 {
		s.result.Compressed = &t
		transfers = ", " + megabytes(t) + " to pull"
	}
	if slo > 0 && size > slo {
		return fail("%s%s; the bound is %s", megabytes(size), transfers, megabytes(slo))
	}
	return pass("%s%s", megabytes(size), transfers)
}

// megabytes writes bytes as people compare them.
func megabytes(n int64) string { return strconv.FormatFloat(float64(n)/1e6, 'f', 1, 64) + " MB" }
