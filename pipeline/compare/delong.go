package compare

import "math"

// delong returns the covariance of two AUCs from their influence functions,
// rows of equal weight and independent (DeLong, DeLong and Clarke-Pearson,
// Biometrics 44, 1988, 837-845):
//
//	S10/m + S01/n
//
// S10 being the covariance of the placement values over the m positive rows,
// S01 over the n negative ones. psi is the placement less the AUC, times N/m
// or N/n (package metric), which is divided out here.
func delong(psiC, psiB []float64, positive func(i int) bool) (v covariance) {
	if psiB == nil {
		psiB = psiC
	}
	var s10, s01 covariance
	var m, n float64
	for i, c := range psiC {
		b, s := psiB[i], &s01
		if positive(i) {
			s = &s10
			m++
		} else {
			n++
		}
		s.cc += c * c
		s.bb += b * b
		s.cb += c * b
	}
	N := m + n
	// (psi m/N)²/((m-1) m) = psi² m/(N² (m-1))
	k10, k01 := m/(N*N*(m-1)), n/(N*N*(n-1))
	return covariance{
		k10*s10.cc + k01*s01.cc,
		k10*s10.bb + k01*s01.bb,
		k10*s10.cb + k01*s01.cb,
	}
}

// obuchowski returns the covariance of two AUCs where rows of a group are
// dependent (Obuchowski, Biometrics 53, 1997, 567-578):
//
//	S10/m + S01/n + 2 S11/(m n), with
//	S10 = I10/((I10-1) m) sum_g V10(g)²     over the I10 groups with a positive row
//	S01 = I01/((I01-1) n) sum_g V01(g)²     over the I01 groups with a negative row
//	S11 = I/(I-1) sum_g V10(g) V01(g)
//
// V10(g) being the sum over the group's positive rows of placement less AUC.
// For two AUCs the last term is the mean of both orders. With corrected, a
// group's sums are divided by 1 less its share of the positive or negative
// rows, times 1 - 1/I (see newUnits); with equal groups that changes nothing.
func obuchowski(psiC, psiB []float64, positive func(i int) bool, group []int32, groups int, corrected bool) covariance {
	if psiB == nil {
		psiB = psiC
	}
	type sums struct {
		c10, c01, b10, b01 float64
		pos, neg           float64
	}
	by := make([]sums, groups)
	var m, n float64
	for i := range psiC {
		s := &by[group[i]]
		if positive(i) {
			m++
			s.pos++
			s.c10 += psiC[i]
			s.b10 += psiB[i]
		} else {
			n++
			s.neg++
			s.c01 += psiC[i]
			s.b01 += psiB[i]
		}
	}
	var i10, i01, all float64
	var s10, s01, s11 covariance
	for _, s := range by {
		if s.pos > 0 {
			i10++
		}
		if s.neg > 0 {
			i01++
		}
		all++
	}
	for _, s := range by {
		if corrected {
			k := (1 - 1/i10) / math.Max(1-s.pos/m, 1e-9)
			s.c10, s.b10 = s.c10*k, s.b10*k
			k = (1 - 1/i01) / math.Max(1-s.neg/n, 1e-9)
			s.c01, s.b01 = s.c01*k, s.b01*k
		}
		s10.cc += s.c10 * s.c10
		s10.bb += s.b10 * s.b10
		s10.cb += s.c10 * s.b10
		s01.cc += s.c01 * s.c01
		s01.bb += s.b01 * s.b01
		s01.cb += s.c01 * s.b01
		s11.cc += s.c10 * s.c01
		s11.bb += s.b10 * s.b01
		s11.cb += (s.c10*s.b01 + s.b10*s.c01) / 2
	}
	// psi carries the factor N/m or N/n; V = psi m/N, and V/m = psi/N.
	N2 := (m + n) * (m + n)
	k10, k01, k11 := i10/(i10-1)/N2, i01/(i01-1)/N2, 2*all/(all-1)/N2
	return covariance{
		k10*s10.cc + k01*s01.cc + k11*s11.cc,
		k10*s10.bb + k01*s01.bb + k11*s11.bb,
		k10*s10.cb + k01*s01.cb + k11*s11.cb,
	}
}
