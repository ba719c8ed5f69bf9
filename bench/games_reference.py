# Replays episodes in RLCard (Limit Hold'em, Blackjack) and OpenSpiel (Kuhn, Leduc). Reads JSON lines of {game, deal, moves} on
# stdin; writes {legal, payoffs} for each, with legal null if the engine has no rule of its own to compare. Needs rlcard and
# open_spiel; run by games-parity.js.

import json
import sys

import pyspiel
from rlcard.games.base import Card
from rlcard.games.blackjack import Game as Blackjack
from rlcard.games.limitholdem import Game as LimitHoldem

RANKS = "23456789TJQKA"
SUITS = "CDHS"


class First:
    """A generator whose every draw is 0."""

    def randint(self, *_):
        return 0

    def shuffle(self, _):
        pass

    def choice(self, of):
        return 0 if isinstance(of, int) else of[0]


def card(number):
    return Card(SUITS[number & 3], RANKS[number >> 2])


def holdem(deal, moves):
    game = LimitHoldem()
    game.configure({"game_num_players": 2})
    game.np_random = First()
    game.init_game()
    for player, hand in zip(game.players, deal["hands"]):
        player.hand = [card(one) for one in hand]
    game.dealer.deck = [card(one) for one in reversed(deal["board"])]
    legal = []
    for move in moves:
        legal.append(sorted(game.get_legal_actions()))
        game.step(move)
    assert game.is_over()
    return legal, [float(one) for one in game.get_payoffs()]


def blackjack(deal, moves):
    game = Blackjack()
    game.configure({"game_num_players": 1, "game_num_decks": 1})
    game.np_random = First()
    game.init_game()
    cards = [card(one) for one in deal["cards"]]
    game.players[0].hand = [cards[0], cards[2]]
    game.dealer.hand = [cards[1], cards[3]]
    # RLCard deals the card at a random index; First always draws index 0.
    game.dealer.deck = cards[4:]
    for who in (game.players[0], game.dealer):
        who.status, who.score = game.judger.judge_round(who)
    for move in moves:
        assert not game.is_over()
        game.step(move)
    assert game.is_over()
    # RLCard's two actions are constant, whatever the state: comparing them would show nothing.
    return None, [{-1: -1.0, 1: 0.0, 2: 1.0}[game.winner["player0"]]]


def spiel(name, cards, moves, names):
    state = pyspiel.load_game(name).new_initial_state()
    cards = list(cards)
    legal = []
    moves = list(moves)
    while not state.is_terminal():
        if state.is_chance_node():
            state.apply_action(cards.pop(0))
            continue
        known = {}
        owes = names(state)
        for action in state.legal_actions():
            known[owes[action]] = action
        legal.append(sorted(known))
        state.apply_action(known[moves.pop(0)])
    assert not moves
    return legal, list(state.returns())


def kuhn(deal, moves):
    def names(state):
        # 0 passes, 1 bets: after a bet these are folding and calling.
        raised = 1 in state.history()[2:]
        return {0: "fold", 1: "call"} if raised else {0: "check", 1: "raise"}

    return spiel("kuhn_poker", [one[0] for one in deal["hands"]], moves, names)


def leduc(deal, moves):
    def names(state):
        return {0: "fold", 1: "call" if 0 in state.legal_actions() else "check", 2: "raise"}

    cards = [one[0] for one in deal["hands"]] + list(deal["board"])
    return spiel("leduc_poker", cards, moves, names)


engines = {"holdem": holdem, "blackjack": blackjack, "kuhn": kuhn, "leduc": leduc}
for line in sys.stdin:
    episode = json.loads(line)
    legal, payoffs = engines[episode["game"]](episode["deal"], episode["moves"])
    print(json.dumps({"legal": legal, "payoffs": payoffs}))
