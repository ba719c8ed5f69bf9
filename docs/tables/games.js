// Tables of the games' engines and of the trained opponents.

import { bench, percent } from "./parts.js";

const won = ({ mean, low, high }) => `${mean.toFixed(2)} (${low.toFixed(2)} to ${high.toFixed(2)})`;

/** The trained opponents of Limit Hold'em. */
export function holdem() {
  const { styles, hands, trainingSeconds, responseHands } = bench("holdem");
  const { styles: locals } = bench("holdem-local");
  const rows = Object.entries(styles).map(([name, { habits, bestResponse, against }]) => {
    const pair = ["equilibrium", "rule", "caller", "random"].map((other) =>
      against[other] ? won(against[other]) : "–",
    );
    const { entered, aggression } = habits;
    return `| ${name} | ${percent(entered)} | ${aggression.toFixed(2)} | ${pair.join(" | ")} | ${won(bestResponse)} | ${won(locals[name])}, ${locals[name].deals} deals |`;
  });
  return [
    `Big blinds a hand with 95 % intervals, ${hands / 2} deals in both seats; trained in ${trainingSeconds} s, best responses on ${responseHands} hands; a local best response by \`npm run bench:holdem-local\`.`,
    "",
    "| player | hands entered, % | raises per call | against equilibrium | rule | caller | random | a trained best response wins | a local best response wins |",
    "|---|---|---|---|---|---|---|---|---|",
    ...rows,
  ];
}

/** What the engines were checked against. */
export function games() {
  const { games: peers, rlcard, openSpiel } = bench("games-parity");
  const versions = { rlcard: `RLCard ${rlcard}`, open_spiel: `OpenSpiel ${openSpiel}` };
  const { ruleHandsPerSecond, rounds } = bench("games");
  const { hands } = bench("hands");
  return [
    "| what | figure | command |",
    "|---|---|---|",
    ...Object.entries(peers).map(([name, { peer, deals, decisions, equalPayoffs, equalLegalMoves }]) => {
      // Blackjack's two moves are always legal: there is nothing to compare.
      const [also, moves] =
        equalLegalMoves === undefined
          ? ["", ""]
          : [", and with equal legal moves,", ` and ${equalLegalMoves}`];
      return `| ${name}: deals with equal pay-offs${also} against ${versions[peer]} | ${equalPayoffs}${moves} of ${deals} (${decisions} decisions) | \`npm run bench:games-parity\` |`;
    }),
    `| seven-card hands whose categories count as known | ${hands} of 133784560 | \`npm run bench:hands\` |`,
    `| Limit Hold'em between rule players, hands a second | ${ruleHandsPerSecond} (median of ${rounds} rounds) | \`npm run bench:games\` |`,
  ];
}
