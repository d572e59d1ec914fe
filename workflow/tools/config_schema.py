"""The configuration's schema: `python -m workflow.tools.config_schema > workflow/config/schema/config.schema.json`."""

import json

from workflow.config.schema.configuration import Config

if __name__ == "__main__":
    print(json.dumps(Config.model_json_schema(), indent=2))
