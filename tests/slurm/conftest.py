"""The last line that run.sh promises."""


def pytest_unconfigure(config):
    stats = config.pluginmanager.get_plugin("terminalreporter").stats
    print(f"{len(stats.get('passed', []))} passed, {len(stats.get('failed', [])) + len(stats.get('error', []))} failed")
