// The report's style sheet: one column, quiet rules, figures in tabular numerals; light, dark and print from one set of names.

export const style = `
:root{color-scheme:light dark;
--paper:#fdfcf9;--raised:#f6f4ee;--ink:#1d1c1a;--soft:#6a665f;--rule:#dedad1;--faint:#ece9e1;
--special:#1b5e9e;--general:#26241f;--refer:#8d867a;--loss:#a8501c;--link:#1b5e9e;
--gain-tint:27,94,158;--loss-tint:190,98,32;--focus:#1b5e9e;
--serif:"Iowan Old Style","Palatino Linotype",Palatino,"Source Serif 4",Charter,Georgia,"Liberation Serif",serif;
--sans:-apple-system,"Segoe UI",Roboto,"Helvetica Neue","Liberation Sans",Arial,sans-serif;
--mono:ui-monospace,"SF Mono",Menlo,Consolas,"Liberation Mono",monospace}
@media (prefers-color-scheme:dark){:root{
--paper:#161614;--raised:#1e1e1b;--ink:#e7e4dc;--soft:#9d988d;--rule:#383630;--faint:#272622;
--special:#72b1ec;--general:#e7e4dc;--refer:#8f897d;--loss:#e69a63;--link:#8cc0f0;
--gain-tint:80,150,220;--loss-tint:214,126,62;--focus:#8cc0f0}}
@media print{:root{color-scheme:light;--paper:#fff;--raised:#fff;--ink:#000;--soft:#555;--rule:#bbb;--faint:#ddd;
--special:#1b5e9e;--general:#000;--refer:#777;--loss:#a8501c;--gain-tint:27,94,158;--loss-tint:190,98,32}}
*{box-sizing:border-box}
html{background:var(--paper);color:var(--ink);font:15px/1.5 var(--sans);-webkit-text-size-adjust:100%;font-variant-numeric:tabular-nums lining-nums}
body{max-width:1060px;margin:0 auto;padding:56px 32px 96px;overflow-wrap:anywhere}
h1{font:500 2.35rem/1.15 var(--serif);margin:0 0 .35rem;letter-spacing:-.012em}
h2{font:500 1.42rem/1.25 var(--serif);margin:4.2rem 0 .3rem;padding-top:1.1rem;border-top:1px solid var(--rule)}
h3{font:600 .95rem/1.3 var(--sans);margin:2rem 0 .4rem}
p{margin:.35rem 0 .8rem;max-width:74ch}
.kicker{font-size:.8rem;color:var(--soft);margin:0 0 1rem}
.about{color:var(--soft);font-size:1.02rem;margin-bottom:1.9rem}
.verdict{font:400 1.42rem/1.48 var(--serif);max-width:62ch;margin:0 0 1.4rem;text-wrap:pretty}
.stopped,.gate-missed{border-left:3px solid var(--loss);padding-left:14px}
.strip-facts{color:var(--soft);font-size:.9rem;margin:0 0 2.6rem;max-width:none}
.strip-facts span{display:inline-block;max-width:100%}
.note,.quiet,.legend,caption{color:var(--soft)}
.note{font-size:.88rem}
.legend{font-size:.84rem;max-width:none;margin:.6rem 0 0;display:flex;flex-wrap:wrap;gap:.15rem 1.3rem}
.legend span{display:inline-flex;align-items:center;gap:5px}
code,pre,kbd{font-family:var(--mono);font-size:.87em}
a{color:var(--link)}
:focus-visible{outline:2px solid var(--focus);outline-offset:2px;border-radius:2px}
.unseen,thead .unseen-wide{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
table{border-collapse:collapse;width:100%;font-size:.9rem}
.scroll{overflow-x:auto;margin:.5rem 0}
td,th{overflow-wrap:break-word}th,td{padding:5px 9px;text-align:left;vertical-align:baseline;font-weight:400}
th:first-child,td:first-child{padding-left:0}
thead th{font-size:.8rem;color:var(--soft);vertical-align:bottom}
thead tr:last-child>*{border-bottom:1px solid var(--rule)}
tbody tr+tr>*{border-top:1px solid var(--faint)}
tr.groups th{padding-bottom:0;font-style:italic}
.groups th+th,.first{padding-left:24px!important}
.num{text-align:right;white-space:nowrap}
.strong,b{font-weight:650}
.quiet{font-weight:400}
caption{text-align:left;font-size:.86rem;padding:0 0 .5rem}
.glyph{vertical-align:-4px;margin-right:4px;flex:none;overflow:visible}
.at{overflow:visible}
.canvas{display:block;width:100%;overflow:visible}
.mark.specialist{fill:var(--special)}.mark.generalist{fill:var(--general)}.mark.reference{fill:var(--refer)}
.ring{fill:none;stroke:var(--special);stroke-width:1.4}
.hollow{fill:var(--paper);stroke:var(--soft);stroke-width:1.2}
.grid,.zero,.baseline,.chance{shape-rendering:crispEdges}.grid{stroke:var(--faint)}.tick{stroke:var(--soft)}.zero{stroke:var(--soft)}
.baseline{stroke:var(--refer);stroke-dasharray:5 3;stroke-width:1.2}
.chance{stroke:var(--refer);stroke-dasharray:1.5 3;stroke-width:1.4}
.interval{stroke-width:2}.interval.thin{stroke-width:1;opacity:.55}
.interval.specialist,.interval.better{stroke:var(--special)}.interval.generalist{stroke:var(--general)}
.interval.reference,.interval.unclear{stroke:var(--refer)}.interval.worse{stroke:var(--loss)}
.estimate.better{fill:var(--special)}.estimate.worse{fill:var(--loss)}.estimate.unclear{fill:var(--paper);stroke:var(--refer);stroke-width:1.5}
.leader{stroke:var(--refer);stroke-width:.8;fill:none}
svg text{font:12px var(--sans);fill:var(--ink)}
svg text.small{font-size:11px;fill:var(--soft)}
svg text.label{font-size:12px;paint-order:stroke;stroke:var(--paper);stroke-width:3px;stroke-linejoin:round}svg text.strong{font-weight:650;fill:var(--ink)}
.for-narrow{display:none}
.dots td,.dots th{padding-top:0;padding-bottom:0;vertical-align:middle;border:0!important;line-height:1.25}
.dots tbody tr:hover,.results tbody tr:hover,.forest tbody tr:hover{background:var(--raised)}
.dots .plot{width:52%;padding-left:14px;padding-right:14px}
.dots th .subject{padding-top:2px;padding-bottom:2px}.dots .subject .glyph{top:2px}
.dots thead>tr>*{vertical-align:bottom}
.subject{display:block;position:relative;padding-left:24px}.subject .glyph{position:absolute;left:0;top:.08em}
.forest tbody th{min-width:15.5rem}.forest .plot{width:26%;min-width:150px;padding:0 14px}
.forest td,.forest th{vertical-align:middle;line-height:1.3}
.forest tbody .plot,.forest tbody tr+tr .plot{border-top:0}.whole{white-space:nowrap}.forest .group th{padding-top:9px}
.search .plot{width:22%;min-width:130px}.search td,.search th{vertical-align:middle;line-height:1.3;padding:5px 14px 5px 0}.search tbody th{border-top:1px solid var(--faint);max-width:15em}.search tbody th[rowspan]{vertical-align:top}
.costs{margin:.4rem 0 0}
.costs>input{position:absolute;opacity:0;width:1px;height:1px}
.costs>label{display:inline-block;padding:1px 9px;border-radius:4px;cursor:pointer;font-size:.86rem;color:var(--link)}
.costs>input:checked+label{background:var(--ink);color:var(--paper)}
.costs>input:focus-visible+label{outline:2px solid var(--focus);outline-offset:2px}
.control-name{font-size:.86rem;color:var(--soft)}
.cost-plot{display:none;margin-top:.7rem}
.pick-usd:checked~.show-usd,.pick-ms:checked~.show-ms,.pick-tokens:checked~.show-tokens{display:block}
.profile{width:auto}
.profile td.heat{min-width:112px;border:2px solid var(--paper);padding:6px 10px}
.profile thead th:first-child{min-width:200px}
.heat .score{display:inline-block;min-width:3.6em}.heat .difference{font-size:.85rem}
.heat.absent{color:var(--soft)}
${[1, 2, 3, 4].map((level) => `.gain-${level}{background:rgba(var(--gain-tint),${0.07 + 0.085 * level})}.loss-${level}{background:rgba(var(--loss-tint),${0.07 + 0.085 * level})}`).join("")}
${[1, 2, 3, 4, 5, 6, 7, 8].map((level) => `.hit-${level}{background:rgba(var(--gain-tint),${(0.04 + 0.055 * level).toFixed(3)})}.miss-${level}{background:rgba(var(--loss-tint),${(0.04 + 0.055 * level).toFixed(3)})}`).join("")}
.matrix{width:auto}.matrix .cell{min-width:44px;border:2px solid var(--paper)!important;text-align:center}
.matrix .turned{vertical-align:bottom;padding:4px 6px;text-align:left}.matrix .turned span{writing-mode:vertical-rl;transform:rotate(180deg);max-height:11em;display:inline-block;line-height:1.15}
.matrix tbody th{max-width:19em}.matrix tfoot td,.matrix tfoot th{border-top:1px solid var(--rule);color:var(--soft);font-size:.85rem;text-align:center}.matrix tfoot th{text-align:left}
.matrix thead tr:last-child>*{border-bottom:0}.total{padding-left:16px}
.controls{display:flex;flex-wrap:wrap;gap:.5rem 1.1rem;align-items:center;margin:.6rem 0;max-width:none;font-size:.9rem}
.controls[hidden],table[hidden]{display:none}
.controls label{min-width:0;max-width:100%}
select,input[type=search]{font:inherit;color:inherit;background:var(--raised);border:1px solid var(--rule);border-radius:4px;padding:3px 7px;max-width:100%}
input[type=search]{width:15rem}
fieldset{border:0;margin:0;padding:0;display:flex;flex-wrap:wrap;gap:.1rem}
.segment input{position:absolute;opacity:0;width:1px;height:1px}
.segment label{padding:2px 9px;border-radius:4px;cursor:pointer;color:var(--link)}
.segment input:checked+label{background:var(--ink);color:var(--paper)}
.segment input:focus-visible+label{outline:2px solid var(--focus)}
.segment label span{opacity:.7;font-size:.85em}
button{font:inherit;color:inherit;background:none;border:0;padding:0;cursor:pointer;text-align:left}
.opener{white-space:nowrap;color:var(--link);font-family:var(--mono);font-size:.86em}
.opener::before{content:"▸";display:inline-block;width:1.1em;color:var(--soft)}
.opener[aria-expanded=true]::before{content:"▾"}
.samples tr.row{cursor:pointer}.samples tr.row:hover{background:var(--raised)}
.samples .cut{max-width:12rem;overflow:hidden;text-overflow:ellipsis;white-space:nowrap}
.samples .excerpt{color:var(--soft);max-width:0;width:45%;white-space:nowrap;overflow:hidden;text-overflow:ellipsis}
.strip{letter-spacing:.04em;min-width:6.6em}.few{white-space:nowrap}
.strip span{display:inline-block;width:1.05em;text-align:center}.strip .chosen{outline:1px solid var(--rule);border-radius:3px}
.right{color:var(--special)}.wrong{color:var(--loss)}.unscored,.absent{color:var(--soft)}
tr.open>td{padding:4px 0 26px 18px;border-left:2px solid var(--rule);border-top:0!important}
.facts{color:var(--soft);font-size:.86rem;max-width:none;margin:.5rem 0}
.block{display:grid;grid-template-columns:82px minmax(0,1fr);gap:0 12px;margin:.35rem 0}
.role{font-size:.8rem;color:var(--soft);text-align:right;padding-top:5px}
pre{margin:0;padding:5px 10px;white-space:pre-wrap;overflow-wrap:anywhere;max-height:22rem;overflow:auto;background:var(--raised);border-radius:4px;line-height:1.45}
pre.output{border-left:2px solid var(--special)}
.choices{margin:.3rem 0 .3rem 94px;padding:0;list-style:none;font-size:.9rem}.choices .gold{font-weight:650}
.sample .note{margin-left:94px}
.tabs{display:flex;flex-wrap:wrap;gap:.3rem;margin:1rem 0 .2rem 94px}
.tab{max-width:100%;overflow-wrap:anywhere;border:1px solid var(--rule);border-radius:4px;padding:2px 9px;font-size:.86rem}
.tab[aria-pressed=true]{border-color:var(--ink);background:var(--raised)}
.call{color:var(--soft);font-size:.82rem;margin:.7rem 0 .1rem 94px;max-width:none}
.transcript .facts,.answer>.note{margin-left:94px}
.scores td{overflow-wrap:anywhere}.scores{width:auto;justify-self:start;font-size:.86rem}.scores svg{width:110px;margin-right:8px;background:var(--faint)}.scores rect{fill:var(--special)}
.scores code{white-space:pre-wrap}.share{white-space:nowrap}
.more{margin:.9rem 0;color:var(--link);padding:3px 0}
h4{font:600 .9rem/1.3 var(--sans);margin:1.8rem 0 .2rem}
.movements{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(205px,100%),1fr));gap:1.5rem 1.7rem;margin:.8rem 0}
.movement{margin:0;min-width:0;display:grid;grid-row:span 3;grid-template-rows:subgrid;row-gap:.4rem}
.movement figcaption{font-size:.86rem;line-height:1.3;align-self:end}.movement figcaption>.quiet{display:block;padding-left:24px;color:var(--soft)}
.from-above,.stage>svg{display:block;width:100%;height:auto;background:var(--raised);border-radius:4px;overflow:hidden}
.player path,.movement path,.muscles path,.legend path{fill:none;vector-effect:non-scaling-stroke}
.movement .canvas svg{overflow:hidden}.movement .canvas svg.at{overflow:visible}
.from-above .grid,#movement-stage .grid{stroke:var(--rule);stroke-width:.6}
.shoulder{stroke:var(--soft)}.way{stroke:var(--refer);stroke-dasharray:2 3}
.target{fill:none;stroke:var(--ink);stroke-width:1.2;vector-effect:non-scaling-stroke}.start{fill:var(--soft)}
.hand{stroke:var(--special);stroke-width:1.5;stroke-linejoin:round;stroke-linecap:round}
.hand.generalist{stroke:var(--general)}.hand.reference,.hand.intact,.hand.beside{stroke:var(--refer)}.hand.cut{stroke:var(--loss)}
.cell{fill:var(--special)}
.movement .canvas .hand{stroke-width:1.1;opacity:.8}
svg text.halo{paint-order:stroke;stroke:var(--paper);stroke-width:3px;stroke-linejoin:round}
.muscles{max-width:720px}.muscles td,.muscles th{padding-top:0;padding-bottom:0;border:0!important;vertical-align:middle}.muscles .plot{width:64%}
.muscles .level{fill:rgba(var(--gain-tint),.3)}.muscles .asked{stroke:var(--special);stroke-width:1}
.stage{display:grid;grid-template-columns:minmax(0,1fr) 15rem;gap:1.6rem;align-items:center;max-width:820px}
.stage>svg{aspect-ratio:4/3}
.stage .hand{stroke-width:2}.stage .whole{stroke-width:1;opacity:.35}.stage .arm{stroke:var(--ink);stroke-width:5;stroke-linecap:round;stroke-linejoin:round;opacity:.75}.stage .arm.beside{stroke:var(--refer);opacity:.45}
.joint{fill:var(--ink)}.joint.beside{fill:var(--refer)}
.bars{font-size:.82rem}.bars th{white-space:nowrap;width:1%}.bars th,.bars td{padding:3px 8px 3px 0;border:0!important}.bars svg{display:block;width:100%;background:var(--faint)}.bars rect{fill:var(--special)}
.transport{flex-wrap:nowrap;max-width:820px}.play{flex:none;width:4.6rem;text-align:center;border:1px solid var(--rule);border-radius:4px;padding:2px 0}.play:hover{background:var(--raised)}
.moves{max-width:820px;padding-left:1.6rem;font-size:.9rem}.moves .own b{color:var(--special)}.moves .quiet{color:var(--soft)}#episode-now{flex:none;width:8rem;color:var(--soft)}
.transport input{flex:1;min-width:0;accent-color:var(--special)}#movement-now{flex:none;width:15rem;color:var(--soft)}
dl{display:grid;grid-template-columns:minmax(7rem,auto) minmax(0,1fr);gap:.5rem 1.4rem;margin:.6rem 0 1.2rem;font-size:.93rem}
dt{color:var(--soft)}dd{margin:0}
.command{display:inline-block;background:var(--raised);padding:3px 9px;border-radius:4px;user-select:all}
details>summary{cursor:pointer;color:var(--link);font-size:.9rem;margin:.6rem 0}
footer{margin-top:4rem;color:var(--soft);font-size:.85rem}
@media screen and (max-width:720px){.segment{min-width:0}
body{padding:28px 16px 64px}h1{font-size:1.75rem}.verdict{font-size:1.18rem}h2{margin-top:3rem;font-size:1.25rem}
.dots,.dots tbody,.dots thead,.dots tfoot{display:block}
.dots tr{display:grid;grid-template-columns:minmax(0,1fr) auto auto auto;align-items:baseline;margin-bottom:.55rem}
.dots thead tr,.dots tfoot tr{margin-bottom:0}
.dots thead .num,.dots tfoot td:not(.plot){display:none}
.dots .plot{grid-column:1/-1;grid-row:2;width:auto;padding:0 6px}
.dots th,.dots td{padding-left:0;padding-right:0}.dots td.num{padding-left:10px}
.dots tbody td:last-child{display:none}
.for-wide{display:none}.for-narrow{display:inline}
.scroll th:first-child{position:sticky;left:0;background:var(--paper);max-width:9.5rem;min-width:7.5rem;z-index:1}
.profile thead th:first-child{min-width:7.5rem}

.movements{grid-template-columns:repeat(auto-fill,minmax(min(150px,100%),1fr));gap:1.2rem 1rem}.stage{grid-template-columns:minmax(0,1fr)}.transport{flex-wrap:wrap}.transport input{flex:1 1 60%}#movement-now{width:100%}.muscles .plot{width:46%}
.samples thead th:nth-child(4),.samples thead th:nth-child(6){width:0;padding:0;font-size:0}
.samples .row td:nth-child(4),.samples .row td:nth-child(6){padding:0;font-size:0}
.scores svg{width:44px}.forest tbody th{min-width:0}
.block{grid-template-columns:minmax(0,1fr)}.role{text-align:left}
.choices,.tabs,.call,.transcript .facts,.answer>.note,.sample .note{margin-left:0}
tr.open>td{padding-left:8px}
dl{grid-template-columns:1fr;gap:0}dd{margin-bottom:.6rem}
input[type=search]{width:100%}
.samples{font-size:.84rem;table-layout:fixed}.samples .opener{max-width:100%;overflow:hidden;text-overflow:ellipsis}.samples thead th:nth-child(5){width:6.6rem}.samples .strip span{width:.72em}.samples td,.samples th{padding-left:4px;padding-right:4px}
.strip span{width:.8em}
}
@media print{
html{font-size:10.5pt}body{max-width:none;padding:0}
h2{break-after:avoid;margin-top:2rem}h3{break-after:avoid}tr,figure,.dots,.cost-plot,.matrix{break-inside:avoid}
.scroll{overflow:visible}.scroll table{font-size:.7rem}.scroll thead th{font-size:.64rem}.scroll th,.scroll td{padding-left:3px;padding-right:3px}.scroll .first,.groups th+th{padding-left:9px!important}.scroll .forest tbody th{min-width:0}.forest .plot{width:20%;min-width:110px}.matrix .cell{min-width:30px}
.player,.controls,.costs>label,.costs>.control-name,.more,.no-print{display:none!important}
pre{max-height:none;overflow:visible;border:1px solid var(--rule)}
*{print-color-adjust:exact;-webkit-print-color-adjust:exact}
@page{margin:16mm 14mm}
}
`;
