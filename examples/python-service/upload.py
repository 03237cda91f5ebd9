"""Uploads a file of a worker's machine, prints its progress and the ID of its File. It needs only temporalio."""

import asyncio
import os
import sys

from temporalio.client import Client, WorkflowFailureError
from temporalio.exceptions import WorkflowAlreadyStartedError


async def main(path: str) -> str | None:
    client = await Client.connect(os.environ.get("TEMPORAL_ADDRESS", "localhost:7233"))
    source = {"type": "file", "path": path}
    if host := os.environ.get("LONGHAUL_HOST"):
        source["host"] = host  # Only the worker of this machine can read the file.
    workflow_id = "upload-" + os.path.basename(path)
    try:
        handle = await client.start_workflow(
            "uploadFile",
            {"source": source, "purpose": "batch"},
            id=workflow_id,
            task_queue=os.environ.get("LONGHAUL_TASK_QUEUE", "longhaul"),
        )
    except WorkflowAlreadyStartedError:
        handle = client.get_workflow_handle(workflow_id)  # The same upload is running.

    result = asyncio.ensure_future(handle.result())
    while not (await asyncio.wait([result], timeout=1))[0]:
        progress = await handle.query("progress")
        print(f"{progress['state']}: {progress['bytesDone']} of {progress['bytesTotal']} bytes")
        if progress["waiting"]:
            print(progress["waiting"]["reason"])
    try:
        print(result.result()["file"]["id"])
        return None
    except WorkflowFailureError as error:
        return str(error.cause)  # Such as "SourceForbidden: this worker does not permit the file …".


sys.exit(asyncio.run(main(os.path.abspath(sys.argv[1]))))
