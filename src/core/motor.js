// The words for movement: what a trial asks of a body and what came of it. Lengths are in m, times in s, forces in N, angles
// in rad.
export {};
