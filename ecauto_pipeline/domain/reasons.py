"""The reasons that rows carry, in words: why a change was made, left, held or stopped, why Amazon's answer was none.

The code is what records hold and programs compare; people read the words beside it. Not for: deciding anything.
"""

from __future__ import annotations

from typing import Final

from ecauto_pipeline.domain.call_failures import CALL_FAILURES

MASS_ZERO: Final = "mass_zero"
"""Of an answer that is not believed, because too many said so at once."""

WORDS: Final[dict[str, tuple[str, str]]] = {
    # what is pushed
    "moved": ("仕入値が動いた", "Amazon's price moved"),
    "below_floor": ("表示価格が最低利幅を割っている", "the price shown breaks the margin floor"),
    "in_stock": ("在庫が戻った", "in stock again"),
    "out_of_stock": ("Amazonで在庫切れ", "out of stock at Amazon"),
    "not_found": ("Amazonに存在しない", "unknown to Amazon"),
    "filtered_out": ("条件に合う出品がない状態が続いた", "no offer fits the rule, twice in a row"),
    "price_blocked": (
        "正しい価格が上下限の外で、表示価格は赤字",
        "the right price breaks a limit, the shown one is a loss",
    ),
    "unconfirmed": ("Amazonで長く確認できていない", "not confirmed by Amazon for too long"),
    "rollback_price": ("赤字の価格を戻せないので非公開にする", "a loss, and its price can't be put back"),
    "rollback_mended": ("取り消しが非公開にし、価格が直った", "hidden by a rollback, its price is in order again"),
    "price_held": ("値動きの確認待ちで、表示価格は赤字", "the right price waits for a person, the shown one is a loss"),
    "blocklist": ("出品禁止リストにある", "on the blocklist"),
    "rule_never_sell": ("規則により販売禁止", "never to be sold, by a rule of the owner's"),
    "price_excluded": (
        "規則により価格を変えず、表示価格は赤字",
        "a rule leaves its price alone, and the one shown is a loss",
    ),
    "restock": ("売れて0になった在庫を1に戻す", "sold, and Amazon has more: stock 0 to 1"),
    "gone": ("BASEから消えている", "gone from BASE"),
    # what is left for now
    "never_fetched": ("Amazonの回答がまだない", "Amazon has not answered yet"),
    "not_read": ("BASEの商品をまだ読めていない", "not read from BASE"),
    "no_offer": ("買える出品がないので価格は決めない", "nothing to buy, so no price"),
    "rule_excluded": ("規則により対象外", "left alone, by a rule of the owner's"),
    "rules_unknown": (
        "商品ごとの規則を一度も読めていないので変えない",
        "the rules per item could never be read, so it is left alone",
    ),
    "second_look": ("2回目の確認待ち", "waits for a second look"),
    "stale_price": ("価格情報が古い", "the price is too old to act on"),
    "stale_stock": ("在庫情報が古い", "the stock is too old to act on"),
    "filtered_waits": ("条件に合う出品なし、2回目の確認待ち", "no offer fits the rule; waits for the second answer"),
    "price_below_floor": ("表示価格が赤字なので公開しない", "would sell below the margin floor"),
    "by_hand": ("人がショップで変えた価格", "a price that a person set at the shop"),
    "price_failed": ("ショップで正しい価格にできない", "the right price could not be set at the shop"),
    "in_sale": ("ショップのセール中で価格を直せない", "in a sale of the shop's, which shows another price than ours"),
    "uneditable": ("BASEが編集を受け付けない商品", "BASE does not let this item be edited"),
    "variations": ("バリエーションのある商品", "has variations"),
    "hidden_by_person": ("人が非公開にした", "hidden by a person"),
    "hidden_by_blocklist": ("出品禁止リストで非公開にした", "hidden by the blocklist"),
    "blocklist_unknown": (
        "出品禁止リストを一度も読めていないので公開しない",
        "no blocklist could be read yet, so it is not shown again",
    ),
    "hidden_by_shop": ("ショップ側で非公開にされた", "hidden by the shop"),
    "hidden_by_unknown": ("誰が非公開にしたか不明", "hidden by nobody knows whom"),
    "not_listed": ("もう出品対象ではない", "not listed any more"),
    "shown_already": ("すでにその値が表示されている", "shown already"),
    "changed_since": ("決めたあとに事情が変わった", "things changed since it was decided"),
    "shop_off": ("ショップが停止中 (active = false)", "its shop is switched off (active = false)"),
    "plan_too_old": ("計画が古すぎる", "the plan is too old"),
    "twice": ("計画に二度書かれている", "stands in the plan twice"),
    "nothing_to_do": ("もう変える必要がない", "nothing is to be changed any more"),
    "shown_changed": ("ショップの表示が計画のあとで変わった", "the shop shows another value than the plan says"),
    "snapshot_id_changed": ("計画のあとでAmazonの新しい回答がある", "Amazon was asked again since the plan"),
    "wanted_changed": ("送るべき値が計画のあとで変わった", "another value is wanted by now"),
    "before_unknown": ("変更前の値が分からない", "what it was before is unknown"),
    "superseded": ("新しい判断に置き換えられた", "a later decision took its place"),
    "unsettled": ("前の更新の結果を確認中", "an earlier edit is still to be read back"),
    "pushed_elsewhere": ("別の実行がこのショップを更新中", "another run is pushing to this shop"),
    "paused": (
        "人が送信を止めている。再開すると続ける",
        "a person has stopped the pushing until it is resumed",
    ),
    "stopped": ("途中で止められた", "the run was stopped"),
    # the shop does not take it
    "hour_api_limit": ("BASEの1時間の上限。次の時間に続ける", "BASE's hourly limit; goes on in the next hour"),
    "day_api_limit": ("BASEの1日の上限。明日続ける", "BASE's daily limit; goes on tomorrow"),
    "hour_reserve": (
        "BASEの1時間の残りは、非公開と取り消しのために取ってある。次の時間に続ける",
        "the rest of BASE's hour is kept for hides and undoing; goes on in the next hour",
    ),
    "day_reserve": (
        "BASEの1日の残りは、非公開と取り消しのために取ってある。明日続ける",
        "the rest of BASE's day is kept for hides and undoing; goes on tomorrow",
    ),
    "account_blocked": (
        "ショップが利用できない(制限またはトークン)",
        "restricted, or without a valid token",
    ),
    "access_denied": ("BASEがこのショップの操作を拒否", "BASE refuses this shop"),
    "shop_unreachable": ("BASEにつながらない", "BASE can't be reached"),
    "fault": ("想定外のエラー。次の実行でもう一度試す", "an error nobody foresaw; the next run tries again"),
    "token_key": ("このマシンに封印を開く鍵がない", "this machine has no key that opens the seal"),
    "token_lock": ("ほかの処理がトークンを更新中", "another process is renewing the token"),
    "no_such_edit": ("このショップでは変更できない項目", "this shop does not let it be changed"),
    "bad_item_id": ("BASEにその商品がない", "BASE does not know the item"),
    "other_value": ("BASEが別の値を返した", "BASE answered with another value"),
    # the file that a shop hands us, or takes from us
    "file_missing": ("商品ファイルがない", "its product file is not there"),
    "file_unreadable": ("商品ファイルを開けない", "its product file can't be opened"),
    "being_written": ("商品ファイルが書き込み中", "its product file is being written"),
    "wrong_encoding": ("商品ファイルの文字コードが違う", "its product file has another encoding"),
    "missing_column": ("商品ファイルに必要な列がない", "its product file lacks a column"),
    "damaged_file": ("商品ファイルが壊れている", "its product file is damaged"),
    "no_rows": ("商品ファイルに商品がない", "its product file has no rows"),
    "row_without_id": ("商品IDのない行がある", "a row of its product file has no item id"),
    "damaged_update": ("前の更新ファイルが読めない", "an earlier update file can't be read"),
    "no_folder": ("更新ファイルの保存先がない", "there is no folder for its update files"),
    "not_written": ("更新ファイルを書けなかった", "its update file could not be written"),
    # what nothing keeps in step
    "orphan_no_item": ("master.dbにあり、BASEにない(削除された商品)", "in master.db and not at BASE (deleted there)"),
    "orphan_no_register": ("BASEにあり、master.dbにない", "at BASE and not in master.db"),
    "orphan_asin_mismatch": ("BASEとmaster.dbでASINが違う", "BASE and master.db name different ASINs"),
    "orphan_bad_asin": ("ASINの形をしていない", "no well-formed ASIN"),
    "gone_both_sides": ("BASEにもmaster.dbにもない", "neither at BASE nor in master.db"),
    "register_not_listed": ("master.dbで出品中になっていない", "at BASE, and not marked listed in master.db"),
    "deleted_at_shop": ("BASEから消えている(取り下げ済み)", "gone from BASE (delisted)"),
    "unanswerable": ("Amazonから正しい回答が得られない", "Amazon gives no usable answer"),
    "never_answered": ("Amazonが一度も回答していない", "Amazon never answered"),
    # waits for a person
    "move": ("価格の動きが大きすぎる", "the price would move too far"),
    "moves": ("短い間の値動きの合計が大きすぎる", "the price has moved too far in a short time"),
    "account_fall": ("ショップ全体の価格が下がりすぎる", "the prices of the whole shop fall too far"),
    "sources_disagree": ("Amazonの2つの回答が食い違う", "two of Amazon's sources disagree"),
    "mass_hide": ("短い間に非公開にする件数が多すぎる", "too many hides in a short time"),
    "mass_delist": ("一度に取り下げる件数が多すぎる", "too many delistings at once"),
    MASS_ZERO: ("一度に在庫切れになった件数が多すぎる", "too many turned to zero at once"),
    # stopped by a limit
    "price_min_price": ("価格が下限未満になる", "the price would be under the least allowed"),
    "price_max_price": ("価格が上限を超える", "the price would be over the most allowed"),
    "price_min_markup": ("仕入値に対して安すぎる", "too cheap for what it costs"),
    "price_min_profit": ("手数料を引くと最低利益に足りない", "too little is left after fees"),
    "price_item_floor": ("この商品に決めた下限より安い", "under the floor set for this item"),
    "price_item_ceiling": ("この商品の上限価格を超える", "over this item's own ceiling"),
    "price_max_markup": ("仕入値に対して高すぎる", "too dear for what it costs"),
    "price_no_tier": ("この仕入値に合う価格の段階がない", "no tier of [pricing] covers this cost"),
    "price_no_cost": ("仕入値がない", "there is no cost to work from"),
    # why Amazon's answer is no offer of ours, or none
    "no_offers": ("出品者がいない", "no offers"),
    "no_new_offers": ("新品の出品がない", "no new offers"),
    "no_buyable_offers": ("買える出品がない", "no buyable offers"),
    "not_new": ("新品でない", "not new"),
    "business_offer": ("法人向けの価格", "a price for business customers"),
    "quantity_price": ("まとめ買いの価格", "a price for several pieces"),
    "shipping_not_free": ("送料がかかる", "shipping is not free"),
    "future_date": ("発売前・入荷待ち", "only at a future date"),
    "no_ship_time": ("発送までの時間が不明(招待制など)", "no time to ship given (by invitation, for one)"),
    "ships_late": ("発送が遅い", "ships too late"),
    "unreadable_offer": (
        "出品の内容を読めない(Amazonの回答の形が変わった)",
        "an offer can't be read: Amazon's answers have another shape",
    ),
    "seller_unknown": ("出品者が分からない", "the seller is not named"),
    "seller_never": ("買わないことにした出品者", "a seller never to buy from"),
    "seller_not_listed": ("買うことにした出品者でない", "not one of the sellers to buy from"),
    "not_amazon": ("Amazon自身の出品でない", "not Amazon's own offer"),
    "prime_unknown": ("プライムかどうか分からない", "not said whether it is Prime"),
    "not_prime": ("プライムでない", "not Prime"),
    "fba_unknown": ("Amazonが発送するか分からない", "not said whether Amazon ships it"),
    "not_fba": ("Amazonの発送(FBA)でない", "not shipped by Amazon (FBA)"),
    "rating_unknown": ("出品者の評価が分からない", "the seller's rating is not said"),
    "rating_low": ("出品者の評価が低い", "the seller's rating is too low"),
    "few_ratings": ("出品者の評価件数が少ない", "the seller has too few ratings"),
    "thin": ("条件に合う出品が少なすぎる", "too few offers fit the rule"),
    "bad_price": ("価格が金額になっていない", "the price is no amount of yen"),
    "not_in_catalogue": ("カタログにない", "not in the catalogue"),
    "no_competitive_pricing": ("価格情報の回答がない(在庫切れではない)", "said nothing of prices (which is not zero)"),
    "no_buy_box": ("おすすめ出品なし", "no Featured Offer"),
    "too_soon": ("登録直後でまだ情報がない", "active, but too soon to be told"),
    "no_answer_for_item": ("回答にこのASINがない", "the answer leaves this ASIN out"),
    "offers_missing": ("回答にオファーの一覧がない", "the answer lacks its list of offers"),
    "answered_twice": ("同じASINの回答が2つある", "answered twice"),
    "malformed_asin": ("ASINの形をしていない", "no well-formed ASIN"),
    "wrong_shape": ("回答の形がおかしい", "the answer has the wrong shape"),
    "wrong_asin": ("別のASINの回答", "an answer for another ASIN"),
    "merged": ("Amazonで別のASINに統合された", "Amazon has merged it into another ASIN"),
    "contradiction": ("回答の中身が食い違う", "the answer contradicts itself"),
    # why a call to Amazon failed as a whole
    **{code: (one.ja, one.en) for code, one in CALL_FAILURES.items()},
}


def said(reason: str, language: str = "ja") -> str:
    """The reason's words and its code; the code alone where there are no words; "" for none."""
    code = reason.split(":")[-1]
    words = WORDS.get(code) or WORDS.get(code.removeprefix("lwa_"))
    if words is None:
        return reason
    return f"{words[0] if language == 'ja' else words[1]} ({reason})"
