"""openai-python uploads one file; prints what it took as JSON.

python upload_chunked.py BASE_URL PATH PART_BYTES
"""

import json
import os
import resource
import sys
import tempfile
import time

from openai import OpenAI

base_url, path, part_bytes = sys.argv[1], sys.argv[2], int(sys.argv[3])
client = OpenAI(base_url=base_url, api_key="bench", max_retries=0)


def upload(file: str) -> None:
    client.uploads.upload_file_chunked(
        file=file, mime_type="application/octet-stream", purpose="batch", part_size=part_bytes
    )


def cpu_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


idle_rss_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
# Connections and code are there before the clock starts.
with tempfile.NamedTemporaryFile() as small:
    small.write(b"longhaul")
    small.flush()
    upload(small.name)
cpu_before, started_at = cpu_seconds(), time.perf_counter()
upload(path)
seconds, cpu = time.perf_counter() - started_at, cpu_seconds() - cpu_before
gib = os.path.getsize(path) / 1024**3
print(
    json.dumps(
        {
            "gibPerSecond": gib / seconds,
            "cpuSecondsPerGib": cpu / gib,
            "idleRssMib": idle_rss_kib / 1024,
            "peakRssMib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        }
    )
)
