module example.com/flights

go 1.25.0
