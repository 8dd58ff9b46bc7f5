"""The versions of Discourse that the stand-in can speak, one switch for each behaviour that changed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Dialect:
    """How one version of Discourse behaves where versions differ.

    Defaults are those of version 2.8.0.beta2 of June 2021, of which recordings exist.
    """

    name: str = "2021"
    version: str = "2.8.0.beta2"
    admin_limit: Literal["site", "key"] = (
        "site"  # one bucket of admin API requests for all keys, or each its own
    )
    error_code_header: bool = False  # Discourse-Rate-Limit-Error-Code on 429
    external_id: bool = False  # topics take external_id; GET /t/external_id/{id}.json
    posts_window: Literal["ids", "rows"] = "ids"  # /posts.json: 50 ids, or 50 rows that can be seen
    posts_before: Literal["inclusive", "exclusive"] = "inclusive"
    posts_regular_only: bool = False  # /posts.json without hidden, unlisted, whispers and small actions
    page_past_end: Literal["404", "301"] = "404"
    counts_json_views: bool = True  # a JSON read of a topic counts as a view
    counts_small_actions: bool = (
        True  # in posts_count, last_posted_at and last poster (recorded; later unknown)
    )
    lenient_enabled: bool = False  # topic status takes any spelling of true
    redirect_keeps: tuple[str, ...] = ("page",)  # query parameters that survive the redirect of a slug
    print_any_value: bool = True  # any value of print= switches it on
    per_page: bool = False  # topic lists take per_page, 1 to 100
    tag_objects: bool = False  # tags as {id, name, slug}; /tags.json with numbers as id
    directory_pages: int | None = None  # last page of /directory_items.json
    ip_counts_admin: bool = True  # admin API requests count against the address too
    ip_limit_type: Literal["none", "text"] = "none"  # Content-Type of the 429 of the address limit
    wait_time_left: bool = False  # extras.time_left of 429
    search_limit: Literal["in_result", "429"] = "in_result"
    search_page_past_10: Literal["ignored", "400"] = "ignored"
    original_checks: bool = False  # original_text, original_title, original_tags are compared
    tags_refused: Literal["silently", "422"] = "silently"  # what happens to tags that the user may not set
    target_usernames: bool = True  # the old name of target_recipients
    explorer_moved: bool = False  # reading a stored query redirects to the plugin's newer address
    explorer_types: bool = False  # results of Data Explorer have numbers and flags; before, texts only
    prompt_none: bool = False  # sign-in through the forum answers at once where nobody is signed in
    own_pending: bool = False  # GET /posts/{username}/pending.json, since November 2021
    tags_in_update: bool = False  # basic_topic holds the tags when they were sent


DIALECTS: dict[str, Dialect] = {
    "2021": Dialect(),
    "2021-may": Dialect(name="2021-may", version="2.8.0.beta1", admin_limit="key"),
    "2022": Dialect(
        name="2022",
        version="2.9.0.beta4",
        error_code_header=True,
        external_id=True,
        own_pending=True,
        redirect_keeps=("page", "print"),
    ),
    "2023": Dialect(
        name="2023",
        version="3.1.0",
        error_code_header=True,
        external_id=True,
        own_pending=True,
        posts_window="rows",
        posts_regular_only=True,
        page_past_end="301",
        counts_small_actions=False,
        lenient_enabled=True,
        redirect_keeps=("page", "print"),
        print_any_value=False,
        ip_counts_admin=False,
        wait_time_left=True,
        explorer_types=True,
    ),
    "2026": Dialect(
        name="2026",
        version="2026.8.0",
        error_code_header=True,
        external_id=True,
        own_pending=True,
        posts_window="rows",
        posts_before="exclusive",
        posts_regular_only=True,
        page_past_end="301",
        counts_json_views=False,
        counts_small_actions=False,
        lenient_enabled=True,
        redirect_keeps=("page", "print", "include_raw"),
        print_any_value=False,
        per_page=True,
        tag_objects=True,
        directory_pages=10,
        ip_counts_admin=False,
        ip_limit_type="text",
        wait_time_left=True,
        search_limit="429",
        search_page_past_10="400",
        original_checks=True,
        tags_refused="422",
        target_usernames=False,
        explorer_moved=True,
        explorer_types=True,
        prompt_none=True,
        tags_in_update=True,
    ),
}
