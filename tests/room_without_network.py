"""`oysterd` with a test card in place of the network, for tests of everything around it: same arguments, same exit."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parent.parent)]

if __name__ == "__main__":
    import children

    from model.preset import Preset
    from oysterd import cli, daemon, world_process

    world_process.run_world = children.test_card_world  # type: ignore[assignment]
    daemon.describe = lambda name: Preset(height=90, width=160)  # type: ignore[attr-defined]
    sys.exit(cli.main())
