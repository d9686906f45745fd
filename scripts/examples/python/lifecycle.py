"""The life of an instance through a typed client: create, follow, read health, and delete.

    scripts/generate
    target/tools/python/venv/bin/python scripts/examples/python/lifecycle.py http://127.0.0.1:8080 orders

All the while it prints the events of the instance, each exactly once, also when the server is restarted meanwhile.
"""

import asyncio
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[3] / "target/tools/python"))

from toygres_client import Client, CreateInstanceInput  # noqa: E402
from toygres_client.exceptions import GraphQLClientGraphQLMultiError  # noqa: E402
from websockets.exceptions import WebSocketException  # noqa: E402

PAUSE_SECONDS = 0.5


async def main(url: str, name: str) -> None:
    token = os.environ.get("TOYGRES_TOKEN")
    authorization = {"Authorization": f"Bearer {token}"} if token else {}
    ws_url = url.replace("http", "ws", 1) + "/graphql"
    client = Client(url=url + "/graphql", headers=authorization, ws_url=ws_url, ws_headers=authorization, ws_connection_init_payload=authorization)

    created = (await client.create_instance(CreateInstanceInput(name=name))).create_instance
    refuse(created.user_errors)
    instance_id = created.instance.id
    events = asyncio.create_task(print_events(client, instance_id))

    await follow_operation(client, created.operation.id)
    async for seen in resumed(lambda: client.follow_instance(instance_id)):
        if seen.instance.health.value == "HEALTHY":
            break
    health = (await client.read_health(instance_id)).instance
    print(f"health {health.health.value}: {health.health_summary.checks} checks, the latest {health.latest_health_check.status.value}", flush=True)

    print("Press Enter to delete it.", flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    deleted = (await client.delete_instance(instance_id)).delete_instance
    refuse(deleted.user_errors)
    await follow_operation(client, deleted.operation.id)
    await events


async def follow_operation(client: Client, operation_id: str) -> None:
    """Ends when the operation has succeeded; raises when it has not."""
    last = None
    async for last in resumed(lambda: client.follow_operation(operation_id)):
        pass
    operation = last.operation
    if operation.status.value != "SUCCEEDED":
        raise SystemExit(f"{operation_id}: {operation.status.value}, {operation.error.message}")
    print(f"{operation_id}: {operation.status.value} after {len(operation.steps)} steps", flush=True)


async def print_events(client: Client, instance_id: str) -> None:
    """Ends when the instance is deleted."""
    cursor = "0"
    # Asked for again after each loss, with the cursor of then.
    async for item in resumed(lambda: client.follow_events(instance_id, after=cursor)):
        event = item.instance_events
        cursor = event.cursor
        print(f"event {event.cursor} {event.type_.value} {event.to or ''}".rstrip(), flush=True)
        if event.type_.value == "STATE_CHANGED" and event.to == "DELETED":
            return


async def resumed(subscribe):
    """Subscribes again whenever the connection is lost. Errors of the request itself end it."""
    while True:
        try:
            async for item in subscribe():
                yield item
            return
        except (OSError, WebSocketException):
            print("the connection is lost; trying again", file=sys.stderr, flush=True)
            await asyncio.sleep(PAUSE_SECONDS)
        except GraphQLClientGraphQLMultiError as error:
            raise SystemExit(str(error)) from error


def refuse(user_errors) -> None:
    if user_errors:
        raise SystemExit("; ".join(f"{'.'.join(error.field)}: {error.message}" for error in user_errors))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:3]))
