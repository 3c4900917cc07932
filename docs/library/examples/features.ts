import { explainFeature, features, has, helperFeature, kfuncFeature, mapFeature, programFeature } from 'skep/bpf'

if (has(features.ringBuffer)) console.log('ring buffers')
const helper = helperFeature('xdp_adjust_head', 'kprobe')
for (const feature of [mapFeature('lruHash'), programFeature('xdp'), helper, kfuncFeature('no_such_function', '9.9')]) {
  console.log(`${feature.name}: ${explainFeature(feature)}`)
}
