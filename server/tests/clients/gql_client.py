"""PyPI gql, whose WebSocket transport looks the subprotocol header up by case, against a server of the transport tests."""

import asyncio
import sys

from gql import Client, gql
from gql.transport.exceptions import TransportQueryError
from gql.transport.websockets import WebsocketsTransport


async def check(url: str, subprotocol: str) -> None:
    transport = WebsocketsTransport(url=url, subprotocols=[subprotocol], init_payload={"authorization": "Ada"})
    async with Client(transport=transport) as session:
        assert await session.execute(gql("{ user }")) == {"user": "Ada"}
        numbers = [result["count"] async for result in session.subscribe(gql("subscription { count(to: 3) }"))]
        assert numbers == [0, 1, 2], numbers
        try:
            await session.execute(gql("{ nothing }"))
        except TransportQueryError as error:
            assert "nothing" in str(error)
        else:
            raise AssertionError("no error")
        assert await session.execute(gql("{ user }")) == {"user": "Ada"}


async def main() -> None:
    url = sys.argv[1]
    both = [WebsocketsTransport.GRAPHQLWS_SUBPROTOCOL, WebsocketsTransport.APOLLO_SUBPROTOCOL]
    for subprotocol in both:
        await check(url, subprotocol)
    print(f"{len(both)} subprotocols of gql passed, 0 failed")


asyncio.run(main())
