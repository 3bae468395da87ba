"""What ingestion and cleaning cost beside the plainest Spark job that reads the same files and writes them as Delta.

    python benchmarks/ingest.py [--persons 104000] [--events 1000000]

The sample retailer's extracts, their events cut to the number wanted, without the last hundredth of each file. Four
measurements in fresh processes, one after the other: the floor (read with Spark's own schema inference, write, nothing
else), ingest and clean of everything, both again with nothing new, and both with the hundredth that was held back. What
counts are the ratios: seconds differ from machine to machine, and on a shared one from minute to minute.
"""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from fitted_session import PROJECT, submit

sys.path.insert(0, str(PROJECT / "lib"))

EVENTS = ("web_events", "app_events", "email_events", "social_engagement", "service_tickets")
CUSTOMERS = ("crm_contacts", "shop_customers", "loyalty_members", "email_subscribers", "social_leads", "partner_list")
HELD_BACK = 100  # one row of so many


def floor(landing: Path, lake: Path) -> float:
    """Seconds to read each source and write it once."""
    from cdp.base.session import fit_to, spark_session
    from cdp.base.settings import ConfigFolder
    from cdp.bronze.config import load_sources

    spark = spark_session("floor", memory="8g")
    fit_to(spark, 1 << 30)
    began = time.monotonic()
    for source in load_sources(ConfigFolder(PROJECT / "conf")).values():
        reader, path = spark.read, str(landing / source.path)
        if source.format == "csv":
            rows = reader.option("header", True).option("sep", source.options.delimiter).csv(path)
        else:
            rows = reader.format(source.format).load(path)
        rows.write.format("delta").save(str(lake / source.name))
    return time.monotonic() - began


def cut(landing: Path, events: int) -> tuple[dict[str, int], dict[Path, list[bytes]]]:
    """Cut the events to `events` lines and hold back the end of each file: rows left by source, lines held back by file."""
    lines = {path: path.read_bytes().splitlines(keepends=True) for path in _text_files(landing)}
    sent = sum(len(group) for path, group in lines.items() if path.parent.name in EVENTS)
    share = min(1.0, events / sent)
    rows: dict[str, int] = {}
    held: dict[Path, list[bytes]] = {}
    for path, group in lines.items():
        header = group[:1] if path.suffix == ".csv" else []
        body = group[len(header) :]
        if path.parent.name in EVENTS:
            body = body[: round(len(body) * share)]
        back = len(body) // HELD_BACK
        path.write_bytes(b"".join([*header, *body[: len(body) - back]]))
        held[path] = [*header, *body[len(body) - back :]] if back else []
        rows[path.parent.name] = rows.get(path.parent.name, 0) + len(body) - back
    return rows, held


def _text_files(landing: Path) -> Iterator[Path]:
    return (path for path in sorted(landing.rglob("*")) if path.suffix in (".csv", ".json"))


def ours(landing: Path, lake: Path) -> tuple[float, str]:
    """Seconds of ingest and clean over the start of the session, judging of the tables included; and by stage."""
    summary = submit("pipeline", "--stages", "ingest", "clean", "--landing", str(landing), "--lake", str(lake))
    found = json.loads(Path(summary).read_text(encoding="utf-8"))
    stages = {s["stage"]: s["seconds"] for s in found["stages"]}
    return found["seconds"], ", ".join(f"{name} {seconds:.1f}" for name, seconds in stages.items())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--persons", default="104000")
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--floor", nargs=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.floor:
        print(floor(*map(Path, arguments.floor)))
        return
    with tempfile.TemporaryDirectory() as folder:
        landing, lake = Path(folder) / "landing", Path(folder) / "lake"
        submit("sample", "--landing", str(landing), "--persons", arguments.persons)
        rows, held = cut(landing, arguments.events)
        call = [sys.executable, __file__, "--floor", str(landing), str(Path(folder) / "floor")]
        least = float(subprocess.run(call, capture_output=True, text=True, check=True).stdout.split()[-1])
        shutil.rmtree(Path(folder) / "floor")
        full, stages = ours(landing, lake)
        again, _ = ours(landing, lake)
        for path, lines in held.items():
            if lines:
                path.with_stem(f"{path.stem}-increment").write_bytes(b"".join(lines))
        increment, by_stage = ours(landing, lake)
    events, customers = (sum(rows.get(name, 0) for name in names) for names in (EVENTS, CUSTOMERS))
    print(f"{events:,} events, {customers:,} customer records, {sum(rows.values()):,} rows in all")
    print(f"floor        {least:7.1f} s")
    print(f"everything   {full:7.1f} s   {full / least:5.2f} x the floor ({stages})")
    print(f"nothing new  {again:7.1f} s")
    print(f"a hundredth  {increment:7.1f} s   {(increment - again) / full:5.0%} of everything, over nothing new ({by_stage})")


if __name__ == "__main__":
    main()
