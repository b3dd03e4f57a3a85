"""See npg.distributed.elastic."""
