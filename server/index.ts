export { isNetworkName, NETWORKS } from '../shared/consensus/networks.js';
export { type NetworkFile, type NetworkParams, parseNetwork } from '../shared/consensus/params.js';
export { type NodeConfigInput, nodeConfig } from './config.js';
export { startDirectory } from './directory.js';
export { type NodePorts, type RunningNode, startNode } from './node.js';
