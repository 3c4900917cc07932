import { explainFeature, features, has, helperFeature, kfuncFeature, mapFeature, programFeature } from 'skep/bpf'

if (has(features.ringBuffer)) console.log('ring buffers')
for (const feature of [mapFeature('lruHash'), programFeature('xdp'), helperFeature('xdp_adjust_head', 'kprobe'), kfuncFeature('no_such_function', '9.9')]) {
  console.log(`${feature.name}: ${explainFeature(feature)}`)
}
