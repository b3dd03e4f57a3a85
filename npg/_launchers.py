"""The variables in which launchers tell a process its number: read as `npg run` starts, so nothing is imported here."""

from __future__ import annotations

from collections.abc import Mapping

# By torchrun's variable: those of MPICH (and others by PMI), Open MPI and Slurm.
VARIABLES = {
    "RANK": ("PMI_RANK", "OMPI_COMM_WORLD_RANK", "PMIX_RANK", "SLURM_PROCID"),
    "WORLD_SIZE": ("PMI_SIZE", "OMPI_COMM_WORLD_SIZE", "SLURM_NTASKS"),
    "LOCAL_RANK": ("MPI_LOCALRANKID", "OMPI_COMM_WORLD_LOCAL_RANK", "SLURM_LOCALID"),
    "LOCAL_WORLD_SIZE": ("MPI_LOCALNRANKS", "OMPI_COMM_WORLD_LOCAL_SIZE", "SLURM_NTASKS_PER_NODE"),
}


def told(name: str, environment: Mapping[str, str]) -> str | None:
    """Return the number that a launcher of MPI has given for a variable of torchrun, as text; None where it has not."""
    found = (environment.get(variable, "") for variable in VARIABLES[name])
    return next((text for text in found if text.isdecimal()), None)
