"""Writes the Parquet files of this folder, and beside each what pyarrow
say its values are: one .json of columns, {name: {"text": [...], "number": [...]}}.
null is a value that is missing. Written by pyarrow 26.0.1:

    python make_parquet.py
"""
import datetime as dt
import decimal
import json
import pathlib
import uuid

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

HERE = pathlib.Path(__file__).parent
D = decimal.Decimal


def write(name, columns, expected, **options):
    table = pa.table(columns)
    pq.write_table(table, HERE / f"{name}.parquet", **options)
    (HERE / f"{name}.json").write_text(json.dumps(expected, indent=1) + "\n")


def number(values):
    return [None if v is None else float(v) for v in values]


def both(values, text=None):
    text = text or [None if v is None else str(v) for v in values]
    return {"text": text, "number": number(values)}


small = [D("12.34"), D("-0.05"), None, D("0.00"), D("-99.99")]
large = [D("123456789012345.678"), D("-0.001"), None, D("0.000"), D("900719925474099.300")]
huge = [D("1234567890123456789012345678.1234567890"), D("-1E-10"), None, D("0E-10"), D("1.5000000000")]
decimals = {
    "int32": pa.array(small, pa.decimal128(7, 2)),
    "int64": pa.array(large, pa.decimal128(18, 3)),
    "whole": pa.array([D(7), D(-7), None, D(0), D(70)], pa.decimal128(9, 0)),
}
wide = {"fixed": pa.array(huge, pa.decimal128(38, 10)), "wider": pa.array(huge, pa.decimal256(50, 10))}


def fixed_text(values, scale):
    return [None if v is None else f"{v:.{scale}f}" for v in values]


expected = {
    "int32": both(small, fixed_text(small, 2)),
    "int64": both(large, fixed_text(large, 3)),
    "whole": both([7, -7, None, 0, 70]),
}
write("decimal_integer", decimals, expected, store_decimal_as_integer=True)
expected.update({name: both(huge, fixed_text(huge, 10)) for name in wide})
write("decimal_bytes", {**decimals, **wide}, expected)

integers = {
    "u8": ([0, 255, None], pa.uint8()),
    "u16": ([0, 65535, None], pa.uint16()),
    "u32": ([0, 4294967295, None], pa.uint32()),
    "u64": ([0, 18446744073709551615, None], pa.uint64()),
    "i8": ([-128, 127, None], pa.int8()),
    "i16": ([-32768, 32767, None], pa.int16()),
    "i32": ([-2147483648, 2147483647, None], pa.int32()),
    "i64": ([-9223372036854775808, 9223372036854775807, None], pa.int64()),
}
write("integers", {n: pa.array(v, t) for n, (v, t) in integers.items()}, {n: both(v) for n, (v, _) in integers.items()})

halves = [0.1, 65504.0, -6e-08, 1.0, float("inf"), float("nan"), None]
floats = {
    "half": pa.array([None if v is None else np.float16(v) for v in halves], pa.float16()),
    "single": pa.array(halves, pa.float32()),
    "double": pa.array(halves, pa.float64()),
}


def float_text(v, kind):
    if v is None:
        return None
    if np.isnan(v):
        return "NaN"
    if np.isinf(v):
        return "inf" if v > 0 else "-inf"
    v = kind(v)
    return np.format_float_positional(v, trim="-") if v == 0 or 1e-6 <= abs(v) < 1e21 else np.format_float_scientific(v, trim="-", exp_digits=2)


def float_number(v, kind):
    if v is None:
        return None
    v = float(kind(v))
    return "NaN" if np.isnan(v) else "inf" if np.isinf(v) else v


kinds = {"half": np.float16, "single": np.float32, "double": np.float64}
write("floats", floats, {
    name: {
        # A half is written as the float32 that it is.
        "text": [float_text(None if v is None else kind(v), np.float32 if kind is np.float16 else kind) for v in halves],
        "number": [float_number(v, kind) for v in halves],
    }
    for name, kind in kinds.items()
})

days = [dt.date(2013, 10, 1), dt.date(1969, 12, 31), None, dt.date(1, 1, 1)]
stamps = [dt.datetime(2013, 10, 1, 5, 0, 0), dt.datetime(1969, 12, 31, 23, 59, 59, 500000), None, dt.datetime(2013, 10, 1, 5, 0, 0, 123000)]


def stamp_text(zone):
    out = []
    for v in stamps:
        if v is None:
            out.append(None)
            continue
        text = v.strftime("%Y-%m-%d %H:%M:%S")
        if v.microsecond:
            text += f".{v.microsecond:06d}".rstrip("0")
        out.append(text + zone)
    return out


texts = lambda values: {"text": values, "number": [None] * len(values)}
clock = [dt.time(5, 0, 0), dt.time(23, 59, 59, 500000), None, dt.time(0, 0, 0)]
clock_text = ["05:00:00", "23:59:59.5", None, "00:00:00"]
times = {"date": pa.array(days, pa.date32())}
expected = {"date": texts(["2013-10-01", "1969-12-31", None, "0001-01-01"])}
for unit in ("ms", "us", "ns"):
    times[f"naive_{unit}"] = pa.array(stamps, pa.timestamp(unit))
    expected[f"naive_{unit}"] = texts(stamp_text(""))
    times[f"utc_{unit}"] = pa.array(stamps, pa.timestamp(unit, tz="UTC"))
    expected[f"utc_{unit}"] = texts(stamp_text("+00:00"))
    times[f"time_{unit}"] = pa.array(clock, pa.time32("ms") if unit == "ms" else pa.time64(unit))
    expected[f"time_{unit}"] = texts(clock_text)
write("times", times, expected, version="2.6")
write("times_int96", {"stamp": pa.array(stamps, pa.timestamp("ns"))}, {"stamp": texts(stamp_text(""))}, use_deprecated_int96_timestamps=True)
# Written before logical types were: annotations of version 1.0 alone.
write("times_v1", {"stamp": pa.array(stamps, pa.timestamp("ms")), "u": pa.array([1, 2, None, 200], pa.uint8())},
      {"stamp": texts(stamp_text("")), "u": both([1, 2, None, 200])}, version="1.0")

rows = 4
ids = [uuid.UUID(int=i * 0x0123456789ABCDEF0123456789ABCDEF % 2**128) for i in range(1, 4)]
words = ["a", "é, \"x\"", None, ""]
write("texts", {
    "text": pa.array(words, pa.string()),
    "large": pa.array(words, pa.large_string()),
    "coded": pa.array(words, pa.string()).dictionary_encode(),
    "bytes": pa.array([None if w is None else w.encode() for w in words], pa.binary()),
    "uuid": pa.array([i.bytes for i in ids] + [None], pa.uuid() if hasattr(pa, "uuid") else pa.binary(16)),
    "flag": pa.array([True, False, None, True]),
    "nothing": pa.nulls(rows),
    "no_number": pa.array([None] * rows, pa.float64()),
}, {
    "text": texts(words), "large": texts(words), "coded": texts(words), "bytes": texts(words),
    "uuid": texts([str(i) for i in ids] + [None]),
    "flag": texts(["True", "False", None, "True"]),
    "nothing": texts([None] * rows), "no_number": texts([None] * rows),
})
write("nested", {
    "a": pa.array([1, 2, 3, 4]),
    "list": pa.array([[1], [], None, [2, 3]]),
    "struct": pa.array([{"x": 1}] * rows),
    "map": pa.array([[("k", 1)]] * rows, pa.map_(pa.string(), pa.int64())),
    "b": pa.array(["w", "x", "y", "z"]),
}, {"a": both([1, 2, 3, 4]), "b": texts(["w", "x", "y", "z"])})
for codec in ("none", "gzip", "zstd", "brotli", "lz4"):
    write(f"codec_{codec}", {"a": pa.array(list(range(3)))}, {"a": both([0, 1, 2])}, compression=codec, row_group_size=2, data_page_version="2.0" if codec == "zstd" else "1.0")
write("delta", {"a": pa.array([5, 3, 900000000000]), "t": pa.array(["aa", "ab", "b"]), "f": pa.array([0.5, -1.25, 3.0])},
      {"a": both([5, 3, 900000000000]), "t": texts(["aa", "ab", "b"]), "f": both([0.5, -1.25, 3.0], ["0.5", "-1.25", "3"])},
      use_dictionary=False, column_encoding={"a": "DELTA_BINARY_PACKED", "t": "DELTA_BYTE_ARRAY", "f": "BYTE_STREAM_SPLIT"})
