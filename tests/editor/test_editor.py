"""The live editor in a real browser: whatever happens, what was typed is on the server once, and "Saved" is true."""

import json
import random
from datetime import timedelta
from pathlib import Path

import pytest

from tests import documents
from tests.browser.visits import Visits
from tests.documents import Document
from tests.editor.mortal import Mortal
from tests.server.live import Running

LARGE_BYTES = 350_000  # more than a browser sends of a page that is left
GUEST = {"id": "guest-otter-0a1b2c", "name": "Guest Otter"}
SOON = timedelta(seconds=4)  # time to open a page


@pytest.fixture
def large(tmp_path: Path) -> str:
    """A file with a large document."""
    file = tmp_path / "large.json"
    file.write_text(json.dumps(documents.of_size(documents.sim, LARGE_BYTES)))
    return str(file)


async def test_what_was_typed_arrives_whenever_the_tab_is_closed(visits: Visits, server: Running) -> None:
    await visits.visit("departures.closeTheTab", server.url)


async def test_what_was_typed_arrives_whenever_somebody_goes_elsewhere(visits: Visits, server: Running) -> None:
    await visits.visit("departures.goElsewhere", server.url)


async def test_what_was_typed_arrives_from_the_list_too_whenever_that_is_closed(
    visits: Visits, server: Running
) -> None:
    await visits.visit("departures.goToTheListAndCloseTheTab", server.url)


async def test_what_was_typed_survives_a_crash_of_the_page(visits: Visits, server: Running) -> None:
    await visits.visit("departures.crash", server.url)


async def test_what_was_typed_is_saved_by_the_browser_itself_after_a_crash(visits: Visits, server: Running) -> None:
    await visits.visit("departures.crashAlone", server.url)


async def test_what_was_kept_on_the_device_survives_the_death_of_the_browser(
    visits: Visits, server: Running, tmp_path: Path
) -> None:
    await visits.visit("departures.killTheBrowser", server.url, profile=str(tmp_path))


async def test_a_workflow_is_created_when_its_tab_is_closed_at_once(visits: Visits, server: Running) -> None:
    await visits.visit("departures.closeANewWorkflow", server.url)


async def test_a_large_document_arrives_when_its_tab_is_closed(visits: Visits, server: Running, large: str) -> None:
    await visits.visit("departures.closeALargeDocument", server.url, file=large)


async def test_a_large_document_survives_a_crash_of_the_page(visits: Visits, server: Running, large: str) -> None:
    await visits.visit("departures.crashWithALargeDocument", server.url, file=large)


async def test_a_tab_that_lives_saves_what_a_closed_one_could_not(visits: Visits, server: Running) -> None:
    await visits.visit("departures.leaveUnsentWorkToAnotherTab", server.url)


async def test_the_list_saves_what_a_closed_editor_could_not(visits: Visits, server: Running) -> None:
    await visits.visit("departures.leaveUnsentWorkToTheList", server.url)


async def test_a_tab_adopts_what_a_crashed_one_left_of_the_same_workflow(visits: Visits, server: Running) -> None:
    await visits.visit("departures.leaveUnsentWorkToATabOfTheSameWorkflow", server.url)


async def test_a_duplicated_tab_saves_for_itself(visits: Visits, server: Running) -> None:
    await visits.visit("departures.duplicateTheTab", server.url)


async def test_a_page_that_comes_back_goes_on_saving_and_hearing(visits: Visits, server: Running) -> None:
    await visits.visit("departures.comeBack", server.url)


async def test_a_page_that_comes_back_too_late_saves_nothing_twice(visits: Visits, server: Running) -> None:
    await visits.visit("departures.comeBackTooLate", server.url)


async def test_a_server_killed_in_mid_save_gets_everything_once_it_is_back(visits: Visits, mortal: Mortal) -> None:
    await visits.visit("outages.killTheServerInMidSave", mortal.url, {"kill": mortal.kill, "start": mortal.start})


async def test_a_save_whose_answer_is_lost_with_the_page_is_not_made_twice(visits: Visits, server: Running) -> None:
    await visits.visit("outages.loseAnAnswerAndThePage", server.url)


async def test_what_was_typed_offline_is_saved_when_the_network_is_back(visits: Visits, server: Running) -> None:
    await visits.visit("outages.goOfflineForAMinute", server.url)


async def test_a_token_that_ended_is_replaced(visits: Visits, server: Running) -> None:
    token = server.bearer(GUEST["id"], SOON).removeprefix("Bearer ")
    await visits.visit("outages.endTheToken", server.url, guest=GUEST, token=token)


async def test_what_was_typed_signed_out_is_saved_once_signed_in(visits: Visits, server: Running) -> None:
    await visits.visit("outages.signOut", server.url)


async def test_what_was_typed_survives_a_crash_without_room_in_the_storage(visits: Visits, server: Running) -> None:
    await visits.visit("outages.fillTheStorage", server.url)


async def test_a_storage_that_refuses_everything_keeps_nobody_from_saving(visits: Visits, server: Running) -> None:
    await visits.visit("outages.breakTheStorage", server.url)


async def test_saved_is_not_said_before_the_server_has_answered(visits: Visits, server: Running) -> None:
    await visits.visit("honesty.holdTheAnswer", server.url)


async def test_tabs_that_are_played_with_lose_nothing_and_double_nothing(visits: Visits, server: Running) -> None:
    seed = random.randrange(2**31)
    print(f"seed {seed}")
    await visits.visit("game.play", server.url, seed=seed)


async def test_two_tabs_of_one_workflow_agree(visits: Visits, server: Running) -> None:
    await visits.visit("company.openTwoTabs", server.url)


async def test_an_edit_is_on_somebody_else_s_screen_at_once(visits: Visits, server: Running) -> None:
    print(await visits.visit("company.watchSomebodyEdit", server.url))


async def test_two_people_who_type_at_once_lose_nothing(visits: Visits, server: Running) -> None:
    await visits.visit("company.typeAtOnce", server.url)


async def test_of_two_people_who_disagree_both_are_kept_until_somebody_decides(visits: Visits, server: Running) -> None:
    await visits.visit("company.disagree", server.url)


async def test_undo_and_redo_are_saved(visits: Visits, server: Running) -> None:
    await visits.visit("edits.undoAndRedo", server.url)


@pytest.mark.parametrize("document", documents.EVERY_DOCUMENT)
async def test_a_file_that_is_dropped_is_saved_and_exported_as_it_is(
    visits: Visits, server: Running, document: Document, tmp_path: Path
) -> None:
    file = tmp_path / "workflow.json"
    file.write_text(json.dumps(document))
    await visits.visit("edits.dropAndExport", server.url, file=str(file))


async def test_the_editor_fits_on_a_phone(visits: Visits, server: Running) -> None:
    await visits.visit("edits.useAPhone", server.url)


async def test_the_keyboard_is_enough(visits: Visits, server: Running) -> None:
    await visits.visit("edits.useTheKeyboard", server.url)
