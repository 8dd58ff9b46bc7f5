"""Site settings of the stand-in; names and defaults are Discourse's where it has them (June 2021)."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class Settings:
    title: str = "A forum for tests"
    default_locale: str = "en"
    # Texts
    min_post_length: int = 20
    min_first_post_length: int = 20
    min_personal_message_post_length: int = 10
    max_post_length: int = 32000
    min_topic_title_length: int = 15
    min_personal_message_title_length: int = 2
    max_topic_title_length: int = 255
    title_min_entropy: int = 10
    body_min_entropy: int = 7
    unique_posts_mins: int = 5
    allow_duplicate_topic_titles: bool = False
    blocked_words: frozenset[str] = frozenset()  # "watched words" with the action Block; staff are free
    # Speed
    rate_limit_create_post: int = 5  # seconds
    rate_limit_create_topic: int = 15
    rate_limit_new_user_create_post: int = 30
    rate_limit_new_user_create_topic: int = 120
    max_likes_per_day: int = 50
    post_undo_action_window_mins: int = 10
    # Editing
    editing_grace_period: int = 300  # seconds
    editing_grace_period_max_diff: int = 100  # characters
    editing_grace_period_max_diff_high_trust: int = 400
    post_edit_time_limit: int = 1440  # minutes, trust levels 0 and 1
    tl2_post_edit_time_limit: int = 43200
    # Tags
    tagging_enabled: bool = True
    min_trust_to_create_tag: int = 3
    max_tags_per_topic: int = 5
    staff_tags: frozenset[str] = frozenset()  # only staff may set them
    refused_tags: frozenset[str] = frozenset()  # nobody may set them here (tag groups, category rules)
    # Features
    enable_whispers: bool = False
    approve_all_posts: bool = False  # posts of users below staff wait for approval (enqueued)
    enqueue_staff_too: bool = False  # not Discourse's: lets tests see "enqueued" with an admin key
    solved_enabled: bool = False
    data_explorer_enabled: bool = False
    data_explorer_times_out: bool = False  # each query takes longer than the ten seconds that it has
    data_explorer_query_result_limit: int = 1000  # rows, unless a request asks for another number
    data_explorer_most_rows: int = 10_000  # whatever a request asks for
    detailed_404: bool = False
    enable_user_directory: bool = True
    mute_all_categories_by_default: bool = False  # here nobody has unmuted any
    lazy_load_categories: bool = False  # for everybody; of late, for groups: lazy_load_categories_groups
    enable_discourse_connect_provider: bool = False
    discourse_connect_provider_secrets: dict[str, str] = field(default_factory=dict)  # host: secret
    # State of the site
    read_only: bool = False
    # Limits; None switches one off
    max_admin_api_reqs_per_minute: int | None = 60
    max_reqs_per_ip_per_10_seconds: int | None = (
        None  # Discourse's 50 spares private addresses, as tests have
    )
    max_reqs_per_ip_per_minute: int | None = None  # 200 likewise
    rate_limit_search_user: int | None = 30  # searches a minute
    max_prints_per_hour_per_user: int = 5  # admins are free
    memo_seconds: int = 120
    retain_web_hook_events_days: int = 30
