"""The container files, read as their tools would; no engine runs here."""

import re
from importlib.util import find_spec
from typing import Any

import pytest
import yaml

from console.local.places import ROOT
from console.local.postgres import ROLES

COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = ("migrate", "web", "worker", "pulse", "signer")
OF_ITS_OWN = {"signer": "signer"}  # whose user is another than the image's
DOCKERFILE = (ROOT / "Dockerfile").read_text().replace("\\\n", " ")
INSTRUCTIONS = [
    line.split(maxsplit=1)
    for line in DOCKERFILE.splitlines()
    if line.strip() and not line.lstrip().startswith("#")
]


def arguments(name: str) -> list[str]:
    return [found[1] for found in INSTRUCTIONS if found[0] == name]


class TestCompose:
    def test_has_the_services_of_the_design(self) -> None:
        assert set(SERVICES) == {"postgres", "redis", *OURS}

    @pytest.mark.parametrize("name", SERVICES)
    def test_gives_no_service_more_than_it_needs(self, name: str) -> None:
        service = SERVICES[name]

        assert not {"privileged", "cap_add", "pid", "network_mode"} & set(service)
        assert service.get("user") == OF_ITS_OWN.get(name)
        assert not any("docker.sock" in volume for volume in service.get("volumes", []))
        if name in OURS:
            assert service["cap_drop"] == ["ALL"]
            assert service["security_opt"] == ["no-new-privileges:true"]

    @pytest.mark.parametrize("name", SERVICES)
    def test_checks_the_health_of_every_service_that_stays(self, name: str) -> None:
        check = SERVICES[name]["healthcheck"]

        assert check.get("disable") is True if name == "migrate" else check["test"]

    @pytest.mark.parametrize("name", ["web", "worker", "pulse"])
    def test_starts_the_programs_after_the_migration(self, name: str) -> None:
        needs = SERVICES[name]["depends_on"]

        assert needs["migrate"] == {"condition": "service_completed_successfully"}
        assert needs["redis"] == {"condition": "service_healthy"}
        assert SERVICES["signer"]["depends_on"] == {"migrate": needs["migrate"]}
        assert SERVICES["migrate"]["depends_on"] == {"postgres": {"condition": "service_healthy"}}

    def test_gives_the_owner_to_the_migration_alone(self) -> None:
        holders = [name for name in OURS if "SIGNALBOX_OWNER_URL" in SERVICES[name]["environment"]]

        assert holders == ["migrate"]

    @pytest.mark.parametrize("name", OURS)
    def test_logs_in_as_roles_that_the_migration_makes(self, name: str) -> None:
        found = re.findall(r"postgresql://(\w+):", str(SERVICES[name]["environment"]))

        assert set(found) <= set(ROLES)
        assert ("signalbox_app" in found) is (name != "signer")

    def test_gives_the_key_to_the_signer_alone(self) -> None:
        """Its own user owns the folder; pulse may only read what everybody is told there."""
        mounts = {
            name: [one for one in service.get("volumes", []) if one.startswith("signer:")]
            for name, service in SERVICES.items()
        }
        assert {name: found for name, found in mounts.items() if found} == {
            "pulse": ["signer:/var/lib/signalbox-signer:ro"],
            "signer": ["signer:/var/lib/signalbox-signer"],
        }
        assert re.findall(r"postgresql://(\w+):", str(SERVICES["signer"]["environment"])) == [
            "signalbox_signer",
            "signalbox_signer",
        ]
        holders = [
            name for name in OURS if "signalbox_signer" in str(SERVICES[name]["environment"])
        ]
        assert holders == ["migrate", "signer"]

    def test_holds_no_secret_and_starts_with_none_missing(self) -> None:
        text = (ROOT / "docker-compose.yml").read_text()

        assert not re.search(r"(PASSWORD|SECRET_KEY)\}", text), "a secret without :?"
        for name in ("POSTGRES", "APP", "SEALER", "SIGNER", "REDIS"):
            assert f"${{{name}_PASSWORD:?" in text

    def test_publishes_the_console_on_the_loopback_address_only(self) -> None:
        published = [port for service in SERVICES.values() for port in service.get("ports", [])]

        assert published == ["127.0.0.1:${PORT:-8000}:8000"]

    @pytest.mark.parametrize("name", OURS)
    def test_runs_programs_that_exist(self, name: str) -> None:
        words = " ".join([*SERVICES[name].get("command", []), *arguments("CMD")])
        modules = re.findall(r"-m (\S+)", words.replace('", "', " ").replace('"', ""))

        assert all(find_spec(module.rstrip("]")) for module in modules)
        for path in re.findall(r"\S+\.py", words):
            assert (ROOT / path).exists()


class TestDockerfile:
    def test_runs_as_an_ordinary_user_in_the_last_stage(self) -> None:
        last = max(i for i, found in enumerate(INSTRUCTIONS) if found[0] == "FROM")
        users = [found[1] for found in INSTRUCTIONS[last:] if found[0] == "USER"]

        assert len(arguments("FROM")) == 2
        assert users == ["signalbox"]

    def test_has_a_health_check_and_a_program(self) -> None:
        assert len(arguments("HEALTHCHECK")) == 1
        assert "console.asgi:application" in arguments("CMD")[0]

    def test_installs_the_hash_pinned_list_only(self) -> None:
        installs = [line for line in arguments("RUN") if "pip install" in line]

        assert len(installs) == 1
        assert "--require-hashes -r /tmp/requirements.lock" in installs[0]

    def test_copies_only_what_dockerignore_lets_in(self) -> None:
        lines = (ROOT / ".dockerignore").read_text().splitlines()
        let_in = {line[1:] for line in lines if line.startswith("!")}

        assert "*" in lines
        assert let_in == {
            *("console", "approvals", "audit", "costs", "agents", "templates", "static"),
            *("manage.py", "pyproject.toml", "requirements.lock", "LICENSE"),
        }
        assert all((ROOT / name).exists() for name in let_in)
