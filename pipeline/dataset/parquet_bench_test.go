package dataset

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/parquet-go/parquet-go"
	"github.com/stretchr/testify/require"
)

// flight is a row of flights as Parquet has it.
type flight struct {
	ID        int64   `parquet:"id"`
	Month     int32   `parquet:"month"`
	Day       int32   `parquet:"day"`
	Hour      int32   `parquet:"hour"`
	Carrier   string  `parquet:"carrier,dict"`
	Origin    string  `parquet:"origin,dict"`
	Dest      string  `parquet:"dest,dict"`
	Distance  float64 `parquet:"distance"`
	Temp      float64 `parquet:"temp"`
	WindSpeed float64 `parquet:"wind_speed"`
	Visib     float64 `parquet:"visib"`
	Tailnum   string  `parquet:"tailnum,dict"`
	Delayed   int64   `parquet:"delayed"`
}

func BenchmarkReadParquet(b *testing.B) {
	rows := make([]flight, 1_000_000)
	for i := range rows {
		h := uint32(i) * 2654435761
		rows[i] = flight{int64(i), int32(1 + h%9), int32(1 + h>>8%28), int32(h >> 4 % 24), []string{"UA", "AA", "DL", "B6"}[h>>3%4], []string{"JFK", "LGA", "EWR"}[h>>5%3],
			fmt.Sprintf("D%02d", h>>7%99), float64(90 + h>>6%4900), float64(h%10000) / 100, float64(h>>9%4000) / 100, 10, fmt.Sprintf("N%d", 10000+h>>11%4000), int64(h >> 13 & 1)}
	}
	path := filepath.Join(b.TempDir(), "data.parquet")
	require.NoError(b, parquet.WriteFile(path, rows))
	b.ReportAllocs()
	for b.Loop() {
		table, err := Read(b.Context(), path, Options{})
		require.NoError(b, err)
		require.Equal(b, len(rows), table.Rows())
	}
}
