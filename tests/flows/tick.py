"""The smallest flow that a schedule can start."""

from prefect import flow


@flow
async def tick() -> str:
    """Do nothing, successfully."""
    return "tock"
