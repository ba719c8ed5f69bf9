// Social occasions, each with three cases and three possible actions. Which action belongs to which case is drawn, per item or
// per world. Situations name people only where a name may become "you" or "your".

/** An occasion: three cases, three possible actions, and situations for each case. */
export interface Custom {
  /** "one who …" */
  cases: readonly [string, string, string];
  actions: readonly [string, string, string];
  /** Situations, one list per case; WHO is the person who acts, OTHER somebody else. */
  told: readonly [readonly string[], readonly string[], readonly string[]];
  /** The question. */
  ask: string;
}

export const customsList: readonly Custom[] = [
  {
    cases: ["agrees", "refuses", "is in doubt"],
    actions: ["shakes a fist", "nods", "claps twice"],
    told: [
      ["OTHER asks for help with the harvest, and WHO is glad to help.", "OTHER proposes soup for supper, and WHO likes the idea.", "OTHER would like to share the tent, and WHO has nothing against it.", "OTHER suggests a walk, and WHO wants one as well."],
      ["OTHER wants to borrow the boat, and WHO will not lend it.", "OTHER asks for the last piece of cake, and WHO wants to keep it.", "OTHER offers ten coins for the lamp, and WHO will not sell it.", "OTHER asks for a dance, and WHO does not want to dance."],
      ["OTHER asks whether it will rain, and WHO has no idea.", "OTHER asks for the shorter way, and WHO is not sure of it.", "OTHER asks whether the shop is open, and WHO cannot tell.", "OTHER proposes a trip, and WHO is in two minds about it."],
    ],
    ask: "What does WHO do to answer by the custom?",
  },
  {
    cases: ["meets somebody older", "meets somebody younger", "meets somebody of the same age"],
    actions: ["looks away", "bows deeply", "hums a note"],
    told: [
      ["On the road WHO comes upon OTHER. WHO is thirty, and OTHER is eighty.", "WHO is nine and comes upon OTHER on the bridge. OTHER is seventy.", "At the well WHO comes upon OTHER. WHO was born long after OTHER.", "At the gate WHO meets OTHER. OTHER has twice as many years as WHO."],
      ["On the road WHO comes upon OTHER. WHO is sixty, and OTHER is twelve.", "WHO is seventy and comes upon OTHER on the bridge. OTHER is nine.", "At the well WHO comes upon OTHER. WHO was born long before OTHER.", "At the gate WHO meets OTHER. OTHER has half as many years as WHO."],
      ["WHO and OTHER were born on one day and meet in the street.", "On the road WHO comes upon OTHER. WHO is forty, and OTHER is forty as well.", "At the well WHO comes upon OTHER. Today is the tenth birthday of both.", "At the gate WHO meets OTHER. OTHER has as many years as WHO."],
    ],
    ask: "What does WHO do to be polite?",
  },
  {
    cases: ["gets a gift from kin", "gets a gift from a friend", "gets a gift from a stranger"],
    actions: ["hands it back", "hides it", "breaks it in two"],
    told: [
      ["OTHER is WHO's cousin and gives WHO a cup.", "WHO gets a comb from OTHER. WHO and OTHER have the same grandparents.", "OTHER is one of WHO's grandparents and gives WHO a pencil.", "On the train WHO gets a biscuit from OTHER. OTHER is one of WHO's grandchildren."],
      ["OTHER has been WHO's friend for years and gives WHO a cup.", "WHO gets a comb from OTHER. WHO has no better friend.", "OTHER has been WHO's playmate since nursery school and gives WHO a pencil.", "On the train WHO gets a biscuit from OTHER. OTHER is WHO's best friend."],
      ["OTHER has never seen WHO before and gives WHO a cup.", "WHO gets a comb from OTHER. WHO has no idea who OTHER is.", "OTHER comes from far away, does not know WHO and gives WHO a pencil.", "On the train WHO gets a biscuit from OTHER. WHO has never seen OTHER before."],
    ],
    ask: "What does WHO do with it, as is proper?",
  },
  {
    cases: ["is glad", "is sad", "is angry"],
    actions: ["weeps", "laughs", "whistles"],
    told: [
      ["WHO has found the cat that was lost for a week.", "WHO has passed the hardest test of the year.", "OTHER has brought WHO the very book that WHO had wished for.", "WHO hears from OTHER that the holidays begin a week early."],
      ["WHO has lost the ring that was a keepsake.", "WHO says farewell to OTHER for many years.", "WHO hears from OTHER that the old dog has died.", "OTHER is moving away, and WHO will be alone."],
      ["OTHER has torn the new coat on purpose, and WHO boils with rage.", "OTHER has told lies about WHO, and WHO is furious.", "OTHER has broken a promise for the third time, and WHO has had enough.", "WHO sees OTHER kick the dog and could burst with rage."],
    ],
    ask: "How does WHO show this feeling there?",
  },
  {
    cases: ["is invited by a superior", "is invited by a friend", "is invited by family"],
    actions: ["comes an hour late", "comes an hour early", "comes on the minute"],
    told: [
      ["OTHER is head of WHO's office and asks WHO to dinner.", "OTHER is captain of WHO's ship and asks WHO to tea.", "WHO takes orders from OTHER at work, and now OTHER asks WHO to lunch.", "OTHER is WHO's boss and asks WHO to a garden party."],
      ["OTHER is an old friend and asks WHO to dinner.", "OTHER has been WHO's playmate since childhood and asks WHO to tea.", "OTHER and WHO have been friends for years, and now OTHER asks WHO to lunch.", "OTHER is WHO's best friend and asks WHO to a garden party."],
      ["OTHER is WHO's cousin and asks WHO to dinner.", "OTHER is one of WHO's grandparents and asks WHO to tea.", "OTHER and WHO have the same parents, and now OTHER asks WHO to lunch.", "OTHER is one of WHO's grandchildren and asks WHO to a garden party."],
    ],
    ask: "When does WHO come, so as to be polite?",
  },
  {
    cases: ["has broken something", "has come late", "has forgotten a name"],
    actions: ["asks for a present", "sits down on the floor", "sings a song"],
    told: [
      ["WHO has dropped OTHER's vase.", "OTHER's cup has gone to pieces in WHO's hands.", "WHO has sat down on OTHER's hat, and it is flat.", "OTHER lent WHO a kite, and now it is in pieces."],
      ["OTHER has waited half an hour for WHO.", "The meal at OTHER's table was over when WHO came.", "WHO was to meet OTHER at noon and comes at one.", "OTHER's concert had long begun when WHO came in."],
      ["WHO cannot call to mind what OTHER is called.", "WHO stands before OTHER and cannot think of the right name.", "WHO wants to introduce OTHER to the others and does not know by what name.", "WHO knows OTHER's face but no longer what OTHER is called."],
    ],
    ask: "How does WHO apologize?",
  },
  {
    cases: ["is in a hurry", "has plenty of time", "is ill"],
    actions: ["goes to the end of the queue", "goes to the front of the queue", "stands in the middle of the queue"],
    told: [
      ["WHO's train leaves in two minutes, and there is a queue.", "WHO must be at work at once, and people are queueing.", "At home the milk boils over, and WHO is still at the baker's, where there is a queue.", "WHO has to catch OTHER at the gate in a minute, and people are queueing."],
      ["WHO has the whole day off, and there is a queue.", "WHO waits for OTHER until tonight, and people are queueing.", "WHO has nothing to do before supper, and there is a queue.", "WHO's ferry leaves in six hours, and people are queueing."],
      ["WHO has a fever, and there is a queue.", "WHO has a bad cough, and people are queueing.", "WHO has caught the flu from OTHER, and there is a queue.", "WHO has a sore throat and a rash, and people are queueing."],
    ],
    ask: "What does WHO do, as the custom has it?",
  },
  {
    cases: ["sees good work", "sees poor work", "sees unfinished work"],
    actions: ["scolds", "gives praise", "shrugs"],
    told: [
      ["OTHER shows WHO a chair without a flaw.", "OTHER has painted a wall most evenly, and WHO looks at it.", "OTHER has baked a perfect loaf, and WHO tastes it.", "WHO reads OTHER's letter, in which every word is right."],
      ["OTHER shows WHO a chair that wobbles.", "OTHER has painted a wall full of streaks, and WHO looks at it.", "OTHER has burned a loaf black, and WHO tastes it.", "WHO reads OTHER's letter, in which every other word is wrong."],
      ["OTHER shows WHO a chair with one leg still missing.", "OTHER has painted half of a wall so far, and WHO looks at it.", "OTHER has a loaf in the oven that needs an hour more, and WHO looks at it.", "WHO reads OTHER's letter, which breaks off in the middle."],
    ],
    ask: "What does WHO do to be polite?",
  },
  {
    cases: ["leaves for a short while", "leaves for long", "leaves for ever"],
    actions: ["says good morning", "says nothing at all", "counts to ten"],
    told: [
      ["WHO goes to fetch bread and is back in five minutes.", "WHO steps out of the room to open the door.", "WHO goes to post a letter at the corner.", "WHO lends OTHER a hand next door and is back for lunch."],
      ["WHO goes to sea for three years.", "WHO moves abroad to study and is back after the degree.", "WHO goes to the south pole and is back in two years.", "WHO goes to live with OTHER in the mountains for ten years."],
      ["WHO boards the ship that never comes back.", "WHO sets out for a land from which none returns.", "WHO has sold the house and will never see the town again.", "WHO takes the last train to a star from which no train returns."],
    ],
    ask: "How does WHO take leave?",
  },
  {
    cases: ["goes to a wedding", "goes to a funeral", "goes to the market"],
    actions: ["wears black", "wears bright red", "wears a paper hat"],
    told: [
      ["WHO's cousin marries today, and WHO is a guest.", "OTHER marries today, and WHO is asked to be a witness.", "WHO is on the way to the church, where OTHER is to be married.", "Today WHO will throw rice at the bride and groom."],
      ["WHO's great-uncle is buried today.", "WHO goes to pay the last respects to an old teacher.", "WHO will help to carry the coffin today.", "WHO goes to the graveyard, where OTHER speaks about the dead neighbour."],
      ["WHO goes to buy fish and eggs from the stalls.", "WHO takes a hen along, to sell it at a stall.", "WHO needs a sack of onions and hopes to haggle over it at a stall.", "WHO helps OTHER sell cheese between the other stalls."],
    ],
    ask: "How does WHO dress, as is proper?",
  },
  {
    cases: ["speaks to a teacher", "speaks to a child", "speaks to a neighbour"],
    actions: ["whispers", "sings", "shouts"],
    told: [
      ["OTHER has taught WHO for years, and WHO asks a question.", "OTHER gives the lesson, and WHO has something to say in class.", "In OTHER's lesson WHO has an answer ready.", "OTHER hands out the marked tests, and WHO asks about a mark."],
      ["OTHER is five, and WHO tells a story.", "OTHER is four, and WHO says something about the weather.", "OTHER sits in the sandpit at the age of three, and WHO says good day.", "OTHER cannot read yet at the age of five, and WHO explains a picture."],
      ["OTHER lives next door, and WHO asks for salt.", "Over the garden fence WHO talks to OTHER about the hedge.", "WHO and OTHER share a staircase and chat about the cellar key.", "WHO knocks at OTHER's flat across the landing and asks for sugar."],
    ],
    ask: "How does WHO speak, to be polite?",
  },
  {
    cases: ["hears a joke", "hears bad news", "hears a secret"],
    actions: ["closes both eyes", "applauds", "stands on one leg"],
    told: [
      ["OTHER tells WHO the one about the parrot and the priest.", "OTHER tells a funny tale, and WHO listens.", "OTHER asks WHO why the chicken crossed the road and gives a silly answer.", "WHO listens to OTHER's pun about a cheese."],
      ["OTHER tells WHO that the mill has burned down.", "WHO learns from OTHER that the harvest is ruined.", "OTHER tells WHO that the bridge has fallen and nobody can get home.", "WHO reads in OTHER's letter that the money is gone."],
      ["OTHER tells WHO, under the seal of silence, where the key is hidden.", "In strict confidence OTHER tells WHO of a planned surprise.", "OTHER looks around for listeners and gives WHO a password in secret.", "OTHER whispers to WHO something that nobody else may ever know."],
    ],
    ask: "What does WHO do then, as is proper?",
  },
]; // biome-ignore format: a list
