"""What only the embedded engine promises of codes that it makes up itself."""

import re

from tests.backends.agent import Agent
from tests.backends.opening import connect, local_table
from tests.databases.database import Database
from tests.support import held


async def test_generated_codes_have_no_letters_and_digits_that_look_alike(database: Database) -> None:
    async with held(connect(shop=local_table(database))) as client:
        agent = Agent(client, "shop")
        pool = await agent.new_pool(generate={"count": 250})
        texts = await agent.texts(pool)
        assert len(texts) == 250
        assert [text for text in texts if not re.fullmatch("[A-HJ-NP-Z2-9]{8}", text)] == []
